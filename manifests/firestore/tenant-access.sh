#!/bin/sh
# Creates one tenant's service account, and allows it to read and write one Firestore database and nothing else.
# Run it once for each tenant. Running it again changes nothing.
#   ./tenant-access.sh PROJECT DATABASE TENANT [NAMESPACE]
# NAMESPACE is the tenant's namespace on a GKE cluster with Workload Identity whose workload pool is PROJECT.svc.id.goog.
set -eu

if [ $# -lt 3 ] || [ $# -gt 4 ]; then
  echo "usage: $0 PROJECT DATABASE TENANT [NAMESPACE]" >&2
  exit 2
fi
project=$1 database=$2 tenant=$3 namespace=${4:-}
name=sluice-$tenant
account=$name@$project.iam.gserviceaccount.com

if ! printf %s "$name" | grep -Eq '^[a-z][a-z0-9-]{4,28}[a-z0-9]$'; then
  echo "$name is not a valid name of a service account: use a tenant name of at most 23 lower-case letters, digits and hyphens" >&2
  exit 2
fi

gcloud iam service-accounts describe "$account" --project="$project" >/dev/null 2>&1 \
  || gcloud iam service-accounts create "$name" --project="$project" --display-name="Sluice ingest of tenant $tenant"

# Without the condition, the role would cover all databases of the project.
gcloud projects add-iam-policy-binding "$project" --member="serviceAccount:$account" --role=roles/datastore.user \
  --condition="title=$name,expression=resource.name == \"projects/$project/databases/$database\"" >/dev/null

if [ -n "$namespace" ]; then
  # The ingest pods of a namespace run as its service account sluice-ingest.
  gcloud iam service-accounts add-iam-policy-binding "$account" --project="$project" \
    --role=roles/iam.workloadIdentityUser \
    --member="serviceAccount:$project.svc.id.goog[$namespace/sluice-ingest]" >/dev/null
fi
echo "$account can read and write the database $database of project $project."

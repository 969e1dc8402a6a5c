"""What is made from the manifests: the Helm chart, the release, and the schemas they are checked against."""

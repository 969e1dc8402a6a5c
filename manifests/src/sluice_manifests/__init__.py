"""Generation of the Helm chart and of a release from the manifests, and of the schemas that check them."""

# A job as a resource of Terraform (docs/gitops.md). Declare neither enabled, pause nor pausedSymbols in ingestjob.yaml:
# then an apply leaves the stops of people alone.
resource "kubernetes_manifest" "us_equities" {
  manifest = yamldecode(file("${path.module}/ingestjob.yaml"))

  # A paused job is Ready too. To require quotes, wait for the condition Streaming.
  wait {
    condition {
      type   = "Ready"
      status = "True"
    }
  }

  timeouts {
    create = "3m"
    update = "3m"
  }
}

"""Pure builders of Kubernetes API objects, as the API server would send them."""

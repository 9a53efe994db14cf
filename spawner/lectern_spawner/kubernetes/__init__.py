"""Servers as pods: a thin KubeSpawner subclass, and what it knows of Kubernetes."""

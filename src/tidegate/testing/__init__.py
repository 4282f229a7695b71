"""Public fakes: a manual clock, a scripted transport, a playbook of conversations."""

"""How known gateways are started with their best documented settings, so that anybody can judge them by one command."""

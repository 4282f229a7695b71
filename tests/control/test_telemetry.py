"""What telemetry reads of the configuration in force."""

from tidegate.control.declared import DeclaredProfile, DeclaredProvider
from tidegate.control.telemetry import makers_of
from tidegate.tracing.makers import Maker


def test_makers_are_those_of_profiles() -> None:
    """Two accounts of one maker are one provider to collectors, whatever the file calls them and where they stand."""
    first = DeclaredProvider("eu", (), "https://eu.example/v1", DeclaredProfile("openai", "azure"))
    second = DeclaredProvider("openai", (), "http://10.0.0.1:8080/v1", DeclaredProfile("openai", "azure-v1"))
    assert makers_of((first, second)) == {
        "eu": Maker("azure.ai.openai", "eu.example", 443),
        "openai": Maker("azure.ai.openai", "10.0.0.1", 8080),
    }

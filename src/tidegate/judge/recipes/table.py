"""All recipes by name."""

from typing import Final

from tidegate.judge.recipes.gateway import Recipe
from tidegate.judge.recipes.litellm import litellm
from tidegate.judge.recipes.portkey import portkey
from tidegate.judge.recipes.tidegate import tidegate

RECIPES: Final[dict[str, Recipe]] = {"tidegate": tidegate, "litellm": litellm, "portkey": portkey}

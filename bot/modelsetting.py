"""The language model that the settings describe."""

from __future__ import annotations

from bot.settings import Settings
from knowledge.models import ModelConfig


def model_config(settings: Settings) -> ModelConfig:
    """What the settings say of the model and its parameters."""
    key = settings.llm_api_key
    return ModelConfig(
        model=settings.llm_model,
        ollama_url=settings.ollama_base_url,
        base_url=settings.llm_base_url,
        api_key=key.get_secret_value() if key else "",
        temperature=settings.llm_temperature,
        max_tokens=settings.llm_max_tokens,
        stop=settings.llm_stop,
        context_tokens=settings.llm_context_tokens,
        timeout_seconds=settings.llm_timeout_seconds,
        at_once=settings.llm_parallel,
        longest_line=settings.llm_queue,
    )

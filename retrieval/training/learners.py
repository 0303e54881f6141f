"""Which learner a recipe asks for."""

from retrieval.training.learner import Learner
from retrieval.training.recipe import Recipe


def open_learner(recipe: Recipe, device: str) -> Learner:
    """Build the encoder that is to be trained, at its start."""
    if recipe.encoder == "phantom":
        from retrieval.training.phantom_learner import PhantomLearner

        return PhantomLearner(
            recipe.phantom,
            start=recipe.start,
            device=device,
            seed=recipe.seed,
            frozen=recipe.frozen,
        )
    from retrieval.training.cmrclip_learner import CmrClipLearner

    return CmrClipLearner(recipe.cmrclip, start=recipe.start, device=device, seed=recipe.seed)

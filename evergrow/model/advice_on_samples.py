"""Rules on the samples that come: too few, too uneven, unlike those before."""

from .advice_entry import Advice
from .advice_facts import Facts

FEW_SAMPLES = 5  # samples of a class
LOPSIDED = 20  # times that the largest class is the smallest
EVEN = ("lda", "ncm", "fecam", "reprise", "gdumb", "icarl")  # rare classes are not drowned


def few_samples(facts: Facts) -> Advice | None:
    """A class of fewer than five samples, all chunks together."""
    counts = {j: facts.learnt[j] + n for j, n in enumerate(facts.coming) if n}
    few = [j for j, n in counts.items() if n < FEW_SAMPLES]
    if not few:
        return None
    named = ", ".join(f"{facts.classes[j]} ({counts[j]})" for j in few[:5])
    more = f" and {len(few) - 5} more" if len(few) > 5 else ""
    return Advice(
        "few-samples",
        f"too few samples to learn from, or to judge by: {named}{more}.",
        None,
        ["20 samples (Fashion-MNIST, lda: 20 beside classes of 2,000 were recognised in 75 %)"],
    )


def imbalance(facts: Facts) -> Advice | None:
    """Some class has twenty times the samples of another that competes with it."""
    even = facts.method in EVEN and facts.settings.get("prior", "equal") == "equal"
    sums = facts.family == "closed form"  # old samples count there like new ones
    counts = [
        (n + facts.learnt[j] * sums, j)
        for j, n in enumerate(facts.coming)
        if n or (sums and facts.learnt[j])
    ]
    if even or not counts:
        return None
    (least, rare), (most, common) = min(counts), max(counts)
    if least < 1 or most < LOPSIDED * least:
        return None
    return Advice(
        "imbalance",
        f"{facts.classes[common]} has {most:,} samples, {facts.classes[rare]} {least:,}: "
        f"{facts.method} will rarely answer the latter.",
        None,
        [
            "--method lda (equal priors): 20 beside 2,000 were recognised in 75 % on Fashion-MNIST",
            "--method reprise, which corrects for shares, or more samples of the rare class",
        ],
    )


def unlike_inputs(facts: Facts) -> Advice | None:
    """The inputs do not look like those the model began with."""
    if not facts.unlike:
        return None
    return Advice(
        "unlike-inputs",
        f"the inputs do not look like those the model began with: {'; '.join(facts.unlike)}. New "
        "classes may be told by that alone, and old ones not be recognised.",
        None,
        ["bring them to the same range, colours and size, as they were prepared at first"],
    )

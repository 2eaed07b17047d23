"""When to try again; pure.

The delays are those that Standard Webhooks suggests, each counted from the failure before
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md): ten attempts over three days.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from ossgate.delivery.errors import DeliveryFailed

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MAX_ATTEMPTS = len(DELAYS) + 1
# An attempt counts when it is claimed. So many more are granted to deliveries whose deliverer was killed meanwhile;
# one that still comes back kills it.
MAX_CLAIMS = MAX_ATTEMPTS + 3
# Up to a fifth later, so that what failed together does not come back together.
JITTER = 0.2
LONGEST_RETRY_AFTER = timedelta(hours=24)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
# A receiver may ask for more patience than we would have had, within reason.
LONGEST_ASKED_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do after a failed attempt.

    ``delay`` is nothing when the delivery is given up; ``pause`` leaves the whole sink alone; ``is_disabled`` ends it
    until somebody enables it, and the attempt then does not count.
    """

    delay: timedelta | None
    pause: timedelta | None = None
    is_disabled: bool = False


def plan_next(
    failure: DeliveryFailed, *, attempts: int, slow_answers: int, random: Callable[[], float]
) -> NextStep:
    """Return what follows a failed attempt.

    Args:
        attempts: How many there were, this one among them.
        slow_answers: How many times in a row the sink had been slow before this.
        random: Returns a number from 0 to 1.
    """
    if failure.is_gone:
        return NextStep(timedelta(0), is_disabled=True)
    asked = min(max(failure.retry_after or timedelta(0), timedelta(0)), LONGEST_RETRY_AFTER)
    pause = None
    if failure.is_slow or asked:
        ours = min(FIRST_PAUSE * 2 ** min(slow_answers, 16), LONGEST_PAUSE)
        pause = min(asked, LONGEST_ASKED_PAUSE) or ours
    if attempts >= MAX_ATTEMPTS:
        return NextStep(None, pause)
    return NextStep(max(DELAYS[max(attempts, 1) - 1] * (1 + JITTER * random()), asked), pause)

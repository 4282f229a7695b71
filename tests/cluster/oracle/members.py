"""Who is there, and what part of every limit is whose when it hears nothing: the twin of `cluster/lua/members.lua`.

A member is *lost* when it was not heard for `LOST_US`, and from then on until it says `back`, whatever else it says.
What a lost one may use is withheld from all others (`open_ppm`) until it is back, leaves, its process is another one,
or it has not been heard for `share_us`, after which it uses nothing any more.

*Shrink before grow.* `held_ppm` is the most that a member may take to be its share: the larger of what it was told and
of what its beat says it was told before. A share grows only by what all others do not hold. So Σ shares ≤ 1 at any
moment, whatever answers get lost.

When nobody was heard for `LOST_US` everybody may have been using its share: the state is another one, and all are lost.

A membership that was emptied knows nobody. It learns from what beats say of the one before: as long as fewer members
have come than there were, all shares that nobody has claimed are withheld, and what lost members might use then, for
`share_us` in either case. (A worker that is started anew counts as come, whatever its name; that its namesake is cut
off at the same time and lives on elsewhere is not known.)

Complexity: O(members).
"""

from tidegate.model.cluster import FREE, LATE, OK, Beat, Stand
from tidegate.policy.lease.times import LOST_US


class Present:
    """One member."""

    __slots__ = ("heard", "held_ppm", "incarnation", "lost", "name", "share_us")

    def __init__(self, beat: Beat, held_ppm: int, now: int) -> None:
        self.name = beat.member
        self.incarnation = beat.incarnation
        self.heard = now
        self.held_ppm = held_ppm
        self.share_us = beat.share_us
        self.lost = held_ppm > 0


class Roll:
    """The membership."""

    __slots__ = ("at", "born", "expected", "gone_ppm", "members", "state", "until")

    def __init__(self, now: int) -> None:
        self.born = self.state = self.at = now
        self.expected = 0  # members of the membership before this one
        self.gone_ppm = 0  # what those that were lost in it may use
        self.until = 0
        self.members: list[Present] = []

    def _held(self) -> int:
        return sum(member.held_ppm for member in self.members)

    def _unknown(self, now: int) -> int:
        """What members may use that this membership does not know of."""
        if now > self.until:
            return 0
        rest = max(0, FREE - self._held())
        return rest if len(self.members) < self.expected else min(self.gone_ppm, rest)

    def there(self) -> int:
        """Members that can be heard."""
        return sum(not member.lost for member in self.members)

    def open_ppm(self, now: int) -> int:
        """What is not withheld for anybody."""
        lost = sum(member.held_ppm for member in self.members if member.lost)
        return max(0, FREE - lost - self._unknown(now))

    def look(self, now: int) -> None:
        """Who is lost, who is forgotten; another state when everybody was lost."""
        heard = not self.members
        for member in self.members:
            if now - member.heard <= LOST_US:
                heard = True
            else:
                member.lost = True
        if not heard:
            self.state = max(now, self.state + 1)
        self.members = [member for member in self.members if not member.lost or now - member.heard <= member.share_us]

    def meet(self, beat: Beat, now: int) -> Present:
        """The member's record; another incarnation has nothing of the one before."""
        for member in self.members:
            if member.name == beat.member and member.incarnation == beat.incarnation:
                return member
        self.members = [member for member in self.members if member.name != beat.member]
        known = beat.share_ppm if now - self.born <= beat.share_us else 0  # else it was forgotten, and has stopped
        if known > 0:
            self.expected = max(self.expected, beat.members)
            self.gone_ppm = max(self.gone_ppm, FREE - beat.open_ppm)
            self.until = max(self.until, self.born + beat.share_us)
        self.members.append(Present(beat, known, now))
        return self.members[-1]

    def share(self, member: Present, known: int, now: int) -> int:
        """What is told to be its share."""
        if member.lost:
            return member.held_ppm
        others = self._held() - member.held_ppm + self._unknown(now)
        told = max(0, min(FREE // self.there(), FREE - others))
        member.held_ppm = max(told, known)
        return told


def beat(roll: Roll | None, said: Beat, now: int) -> tuple[Roll, Stand]:
    """`now` in microseconds of the server's clock. The roll that is given is changed, and handed back."""
    roll = roll if roll is not None else Roll(now)
    now = max(now, roll.at)
    if 0 < said.not_after < now:
        return roll, Stand(LATE, now, roll.state, 0, 0, 0, False)
    roll.at = now
    roll.look(now)
    member = roll.meet(said, now)
    member.heard, member.share_us = now, said.share_us
    if said.back:
        member.lost = False
    told = roll.share(member, said.share_ppm, now)
    if said.leaving:
        roll.members.remove(member)
    return roll, Stand(OK, now, roll.state, told, roll.open_ppm(now), roll.there(), member.lost)

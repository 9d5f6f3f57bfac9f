"""Bills and invoices over the ledger entries of an order line."""

import pytest
from costing.invoice_matching import (
    Line,
    free_quantities,
    match,
    match_written_off,
    set_off,
)
from hypothesis import given
from hypothesis import strategies as st

# ------------------------------------------------------------------------------------
# An order line as documents know it: goods and papers come one after the other
# ------------------------------------------------------------------------------------


class OrderLine:
    """Replays what the addon does at each receipt, return, bill and credit note."""

    def __init__(self):
        self.goods, self.papers, self.count = [], [], 0
        self.matched, self.settled, self.written_off = {}, {}, {}

    def move(self, quantity):
        self.goods.append(Line(f"move {len(self.goods) + 1}", quantity))
        return self._state()

    def paper(self, quantity):
        self.count += 1
        self.papers.append(Line(f"paper {self.count}", quantity))
        return self._state()

    def reset(self, number):
        self.papers = [p for p in self.papers if p.id != f"paper {number}"]
        return self._state()

    def close(self, number):
        """Write off whatever is left of a receipt or return."""
        self._state()
        entry, free = f"move {number}", self._free()
        kept = self.written_off.get(entry, 0)
        self.written_off[entry] = kept + free[entry]
        return self

    def _state(self):
        entries = []
        for line in self.goods:
            settled = sum(q for (_b, e), q in self.settled.items() if e == line.id)
            entries.append(Line(line.id, line.quantity - settled))
        self.matched, self.written_off = match_written_off(
            entries, self.papers, self.matched, self.written_off
        )
        closed = {("closed", e): q for e, q in self.written_off.items()}
        for key, quantity in set_off(entries, self.matched | closed).items():
            self.settled[key] = self.settled.get(key, 0) + quantity
        return self

    def _free(self):
        """Return what nothing has invoiced, settled or written off, by move."""
        closed = {("closed", e): q for e, q in self.written_off.items()}
        return free_quantities(self.goods, {**self.matched, **closed, **self.settled})

    def of(self, paper, move):
        return self.matched.get((f"paper {paper}", f"move {move}"), 0)

    def invoiced(self, move):
        return sum(q for (_p, e), q in self.matched.items() if e == f"move {move}")

    def set_off_of(self, move):
        return sum(q for (_b, e), q in self.settled.items() if e == f"move {move}")

    def waiting(self, paper):
        [line] = [p for p in self.papers if p.id == f"paper {paper}"]
        return line.quantity - sum(
            q for (p, _e), q in self.matched.items() if p == line.id
        )


# ------------------------------------------------------------------------------------
# Examples
# ------------------------------------------------------------------------------------


def test_bill_of_one_receipt():
    line = OrderLine().move(10).paper(10)
    assert line.matched == {("paper 1", "move 1"): 10}
    assert not line.settled


def test_bill_before_the_receipt_waits_for_it():
    line = OrderLine().paper(10)
    assert line.matched == {}
    assert line.move(6).of(1, 1) == 6
    assert line.move(6).of(1, 2) == 4
    assert line.waiting(1) == 0


def test_bills_go_over_receipts_in_order_of_receipt():
    line = OrderLine().move(4).move(6).paper(6).paper(4)
    assert (line.of(1, 1), line.of(1, 2)) == (4, 2)
    assert (line.of(2, 1), line.of(2, 2)) == (0, 4)


def test_a_second_bill_never_moves_the_first():
    line = OrderLine().move(4).paper(6).move(6).paper(4)
    assert (line.of(1, 1), line.of(1, 2), line.of(2, 2)) == (4, 2, 4)


def test_reset_frees_what_the_bill_invoiced_and_moves_no_other():
    line = OrderLine().move(4).move(6).paper(4).paper(6).reset(1)
    assert line.matched == {("paper 2", "move 2"): 6}
    # What is billed next fills the gap, not the later receipt.
    assert line.paper(4).of(3, 1) == 4


def test_billed_too_much_waits():
    line = OrderLine().move(10).paper(14)
    assert line.invoiced(1) == 10
    assert line.waiting(1) == 4


def test_receive_return_receive_again_bill():
    """The trap Odoo falls into: the second receipt keeps its order price, the first
    takes the whole bill. Here the return settles what was not billed of the first,
    and the bill covers the six that stayed and the four that came again."""
    line = OrderLine().move(10).move(-4).move(4).paper(10)
    assert (line.of(1, 1), line.of(1, 3)) == (6, 4)
    assert line.of(1, 2) == 0
    assert line.waiting(1) == 0
    assert [line.set_off_of(n) for n in (1, 2, 3)] == [4, -4, 0]


def test_partial_bills_keep_their_own_receipts():
    """Odoo pools bills of 6 and 4 and averages both receipts' prices."""
    line = OrderLine().move(5).move(5).paper(6).paper(4)
    assert (line.of(1, 1), line.of(1, 2), line.of(2, 2)) == (5, 1, 4)


def test_return_of_billed_goods_waits_for_its_credit_note():
    line = OrderLine().move(10).paper(10).move(-4)
    assert line.invoiced(2) == 0 and not line.settled
    line.paper(-4)
    assert line.of(2, 2) == -4
    assert line.invoiced(1) == 10


def test_return_of_goods_not_billed_settles_itself():
    line = OrderLine().move(10).move(-4)
    assert line.set_off_of(1) == 4
    assert line.set_off_of(2) == -4
    # The credit note of goods billed in spite of the return takes the bill back.
    line.paper(10)
    assert (line.invoiced(1), line.waiting(1)) == (6, 4)
    line.paper(-4)
    assert line.invoiced(1) == 6
    assert (line.waiting(1), line.waiting(2)) == (0, 0)


def test_return_of_partly_billed_goods():
    line = OrderLine().move(10).paper(7).move(-4)
    # Three were never billed: they settle; one waits for a credit note.
    assert line.set_off_of(1) == 3
    assert line.set_off_of(2) == -3
    assert line.paper(-1).of(2, 2) == -1


def test_credit_note_without_return_uninvoices_the_last():
    line = OrderLine().move(4).move(6).paper(10).paper(-3)
    assert line.of(2, 2) == -3
    assert (line.invoiced(1), line.invoiced(2)) == (4, 3)


def test_credited_and_billed_again_at_another_price():
    """The usual correction of a wrong price: the replacing bill must not wait."""
    line = OrderLine().move(10).paper(10).paper(-10).paper(10)
    assert [line.of(n, 1) for n in (1, 2, 3)] == [10, -10, 10]
    assert line.invoiced(1) == 10


def test_replacing_bill_dated_before_the_credit_note():
    line = OrderLine().move(10).paper(10).paper(4)
    assert line.waiting(2) == 4
    line.paper(-4)
    assert line.waiting(2) == 0
    assert line.invoiced(1) == 10


def test_credit_note_before_its_return_goes_on_to_it():
    line = OrderLine().move(10).paper(10).paper(-4)
    assert line.invoiced(1) == 6
    line.move(-4)
    assert line.of(2, 2) == -4
    assert line.invoiced(1) == 10
    assert not line.settled


def test_credit_note_stays_where_the_replacing_bill_needs_it():
    line = OrderLine().move(10).paper(10).paper(-4).paper(4).move(-4)
    assert [line.of(n, 1) for n in (1, 2, 3)] == [10, -4, 4]
    # Four are billed too much: the return waits for its own credit note.
    assert line.invoiced(2) == 0 and not line.settled


def test_credit_note_before_any_bill_waits():
    line = OrderLine().move(10).paper(-4)
    assert line.matched == {}
    assert line.paper(10).invoiced(1) == 6


def test_resetting_a_bill_takes_the_credit_note_back_too():
    line = OrderLine().move(10).paper(10).paper(-4).reset(1)
    assert line.matched == {}
    assert line.waiting(2) == -4


def test_resetting_a_credit_note_restores_the_bill():
    line = OrderLine().move(10).paper(10).paper(-4).paper(4).reset(2)
    # The later bill gives way, the first one keeps what it invoiced.
    assert (line.of(1, 1), line.of(3, 1), line.waiting(3)) == (10, 0, 4)


def test_kit_of_zero_lines():
    assert match([], [], {}) == {}
    assert set_off([], {}) == {}


# ------------------------------------------------------------------------------------
# What is recorded stays, whatever waits
# ------------------------------------------------------------------------------------


def lines(**quantities):
    return [Line(name, quantity) for name, quantity in quantities.items()]


def test_a_return_takes_no_more_than_its_credit_note_or_its_quantity():
    assert match(lines(back=-4), lines(note=-6), {}) == {("note", "back"): -4}
    assert match(lines(back=-4), lines(note=-3), {}) == {("note", "back"): -3}


def test_a_receipt_that_got_smaller_gives_back_what_is_too_much():
    recorded = {("first", "in"): 10}
    matched = match(lines(**{"in": 6}), lines(first=10, second=5), recorded)
    assert matched == {("first", "in"): 6}
    recorded = {("first", "in"): 4, ("second", "in"): 5}
    matched = match(lines(**{"in": 6}), lines(first=4, second=5), recorded)
    assert matched == {("first", "in"): 4, ("second", "in"): 2}


def test_a_credit_note_that_waits_takes_no_other_s_place():
    recorded = {("second", "back"): -4}
    documents = lines(first=-4, second=-4)
    assert match(lines(back=-4), documents, recorded) == recorded
    recorded = {("bill", "in"): 10, ("second", "in"): -10}
    documents = lines(bill=10, first=-10, second=-10)
    assert match(lines(**{"in": 10}), documents, recorded) == recorded


def test_a_credit_note_stays_on_its_return_when_another_comes():
    recorded = {("bill", "in"): 10, ("note", "back"): -2}
    entries = lines(**{"in": 10}, back=-4, again=-3)
    assert match(entries, lines(bill=10, note=-2), recorded) == recorded


def test_a_credit_note_goes_on_to_its_return_before_others_are_placed():
    recorded = {("bill", "in"): 10, ("note", "in"): -4}
    moved = {("bill", "in"): 10, ("note", "back"): -4}
    entries = lines(**{"in": 10}, back=-4)
    assert match(entries, lines(bill=10, late=1, note=-4), recorded) == moved
    moved["late", "in"] = -4
    assert match(entries, lines(bill=10, late=-4, note=-4), recorded) == moved


def test_set_off_uses_each_quantity_once():
    entries = lines(first=3, second=3, back=-4, again=-5)
    assert set_off(entries, {}) == {
        ("back", "first"): 3,
        ("back", "second"): 1,
        ("back", "back"): -4,
        ("again", "second"): 2,
        ("again", "again"): -2,
    }


# ------------------------------------------------------------------------------------
# Properties
# ------------------------------------------------------------------------------------

QUANTITY = st.integers(-12, 12).filter(bool)
ENTRIES = st.lists(QUANTITY, max_size=6).map(
    lambda qs: [Line(f"e{n}", q) for n, q in enumerate(qs)]
)
DOCUMENTS = st.lists(QUANTITY, max_size=6).map(
    lambda qs: [Line(f"d{n}", q) for n, q in enumerate(qs)]
)
RECORDED = st.dictionaries(
    st.tuples(
        st.sampled_from([f"d{n}" for n in range(8)]),
        st.sampled_from([f"e{n}" for n in range(8)]),
    ),
    QUANTITY,
    max_size=10,
)


def _sums(matched, place):
    sums = {}
    for key, quantity in matched.items():
        sums[key[place]] = sums.get(key[place], 0) + quantity
    return sums


def _check_limits(entries, documents, matched):
    invoiced, used = _sums(matched, 1), _sums(matched, 0)
    for entry in entries:
        low, high = min(0, entry.quantity), max(0, entry.quantity)
        assert low <= invoiced.pop(entry.id, 0) <= high
    for document in documents:
        low, high = min(0, document.quantity), max(0, document.quantity)
        assert low <= used.pop(document.id, 0) <= high
    assert not invoiced and not used, "nothing but the given lines is matched"
    signs = {line.id: line.quantity > 0 for line in (*entries, *documents)}
    for (document, entry), quantity in matched.items():
        assert (quantity > 0) == signs[document]
        assert quantity < 0 or signs[entry], "a bill never invoices a return"


def _check_nothing_waits_in_vain(entries, documents, matched):
    invoiced, used = _sums(matched, 1), _sums(matched, 0)
    room = {e.id: e.quantity - invoiced.get(e.id, 0) for e in entries}
    waits = [d.quantity - used.get(d.id, 0) for d in documents]
    if any(quantity > 0 for quantity in waits):
        assert not any(quantity > 0 for quantity in room.values())
    if any(quantity < 0 for quantity in waits):
        assert not any(quantity < 0 for quantity in room.values())
        assert not any(invoiced.get(e.id, 0) > 0 for e in entries if e.quantity > 0)


def _possible(recorded, entries):
    """Leave out what no match ever makes: a bill on a return."""
    returns = {entry.id for entry in entries if entry.quantity < 0}
    return {
        key: quantity
        for key, quantity in recorded.items()
        if quantity < 0 or key[1] not in returns
    }


@given(ENTRIES, DOCUMENTS, RECORDED)
def test_never_more_than_entry_or_document(entries, documents, recorded):
    recorded = _possible(recorded, entries)
    matched = match(entries, documents, recorded)
    _check_limits(entries, documents, matched)
    _check_nothing_waits_in_vain(entries, documents, matched)


@given(ENTRIES, DOCUMENTS, RECORDED)
def test_matching_again_changes_nothing(entries, documents, recorded):
    recorded = _possible(recorded, entries)
    matched = match(entries, documents, recorded)
    assert match(entries, documents, matched) == matched


@given(ENTRIES, DOCUMENTS, st.integers(0, 6), st.integers(0, 6))
def test_recorded_stays(entries, documents, some_entries, some_documents):
    """More goods and more papers never lower what is recorded; only a credit note goes
    on from what it un-invoiced to a return."""
    recorded = match(entries[:some_entries], documents[:some_documents], {})
    matched = match(entries, documents, recorded)
    signs = {line.id: line.quantity > 0 for line in (*entries, *documents)}
    for key, quantity in recorded.items():
        document, entry = key
        if signs[document] == signs[entry]:
            assert abs(matched.get(key, 0)) >= abs(quantity)
        else:
            assert quantity <= matched.get(key, 0) or matched.get(key, 0) <= quantity
            assert _sums(matched, 0)[document] <= quantity


@given(ENTRIES, DOCUMENTS.filter(bool), st.integers(0, 5))
def test_reset_moves_no_other_bill(entries, documents, number):
    """Resetting a bill leaves at least what the other bills invoiced."""
    before = match(entries, documents, {})
    gone = documents[number % len(documents)]
    after = match(entries, [d for d in documents if d is not gone], before)
    assert not any(document == gone.id for document, _entry in after)
    if gone.quantity > 0:
        for document in documents:
            if document.quantity > 0 and document is not gone:
                for entry in entries:
                    key = document.id, entry.id
                    assert after.get(key, 0) >= before.get(key, 0)


@given(st.lists(st.integers(1, 12), max_size=6), st.lists(st.integers(1, 12)))
def test_without_returns_all_that_fits_is_invoiced(received, billed):
    entries = [Line(f"e{n}", q) for n, q in enumerate(received)]
    documents = [Line(f"d{n}", q) for n, q in enumerate(billed)]
    matched = match(entries, documents, {})
    assert sum(matched.values()) == min(sum(received), sum(billed))


@given(
    st.lists(st.integers(1, 12), max_size=6),
    st.lists(st.integers(1, 12), max_size=6),
    st.data(),
)
def test_order_of_arrival_does_not_change_what_is_invoiced(received, billed, data):
    """Bills before or after receipts: the same quantities are invoiced in the end."""
    events = [("move", q) for q in received] + [("paper", q) for q in billed]
    shuffled = data.draw(st.permutations(events))
    line = OrderLine()
    for kind, quantity in shuffled:
        getattr(line, kind)(quantity)
    assert sum(line.matched.values()) == min(sum(received), sum(billed))


@given(ENTRIES, DOCUMENTS)
def test_set_off_conserves(entries, documents):
    matched = match(entries, documents, {})
    settled = set_off(entries, matched)
    assert sum(settled.values()) == 0, "returns and receipts settle the same quantity"
    invoiced, set_off_of = _sums(matched, 1), {}
    for (_back, entry), quantity in settled.items():
        set_off_of[entry] = set_off_of.get(entry, 0) + quantity
    rooms = []
    for entry in entries:
        left = entry.quantity - invoiced.get(entry.id, 0) - set_off_of.get(entry.id, 0)
        low, high = min(0, entry.quantity), max(0, entry.quantity)
        assert low <= left <= high
        rooms.append(left)
    # Nothing that could settle is left: returns or receipts have no room.
    assert not (min(rooms, default=0) < 0 < max(rooms, default=0))
    for back, _entry in settled:
        own = settled[back, back]
        assert own == -sum(
            quantity for (b, e), quantity in settled.items() if b == back != e
        )


@st.composite
def _histories(draw):
    events = draw(
        st.lists(
            st.one_of(
                st.tuples(st.just("receive"), st.integers(1, 9)),
                st.tuples(st.just("return"), st.integers(1, 9)),
                st.tuples(st.just("bill"), st.integers(1, 9)),
                st.tuples(st.just("credit"), st.integers(1, 9)),
                st.tuples(st.just("reset"), st.integers(1, 9)),
            ),
            max_size=12,
        )
    )
    return events


@given(_histories())
def test_any_history_keeps_within_limits(events):
    """Step by step, as documents come: no step invoices more than there is, and what is
    invoiced and settled of goods never exceeds their quantity."""
    line = OrderLine()
    for kind, quantity in events:
        if kind == "receive":
            line.move(quantity)
        elif kind == "return":
            on_hand = sum(goods.quantity for goods in line.goods)
            if on_hand:
                line.move(-min(quantity, on_hand))
        elif kind == "bill":
            line.paper(quantity)
        elif kind == "credit":
            line.paper(-quantity)
        else:
            line.reset(quantity)
        for number, goods in enumerate(line.goods, start=1):
            low, high = min(0, goods.quantity), max(0, goods.quantity)
            assert low <= line.invoiced(number) + line.set_off_of(number) <= high
        assert sum(line.settled.values()) == 0


@given(_histories())
def test_everything_billed_and_credited_leaves_nothing_open(events):
    """Once net billed is net received, no receipt or return waits: the interim
    accounts are clear."""
    line = OrderLine()
    for kind, quantity in events:
        if kind == "receive":
            line.move(quantity)
        elif kind == "return":
            on_hand = sum(goods.quantity for goods in line.goods)
            if on_hand:
                line.move(-min(quantity, on_hand))
        elif kind == "bill":
            line.paper(quantity)
    net = sum(goods.quantity for goods in line.goods)
    billed = sum(paper.quantity for paper in line.papers)
    if net != billed:
        line.paper(net - billed)
    for number, goods in enumerate(line.goods, start=1):
        settled = line.invoiced(number) + line.set_off_of(number)
        assert settled == goods.quantity


@pytest.mark.parametrize("sign", [1, -1])
def test_an_entry_without_room_takes_nothing(sign):
    """Settled goods come with what is left of them, which may be nothing."""
    matched = match([Line("e", 0)], [Line("d", 5 * sign)], {("d", "e"): 5 * sign})
    assert matched == {}


# ------------------------------------------------------------------------------------
# Remainders written off
# ------------------------------------------------------------------------------------


def test_what_is_written_off_stays_so():
    line = OrderLine().move(10).paper(6).close(1).move(5).paper(5)
    assert line.written_off == {"move 1": 4}
    assert (line.of(1, 1), line.of(2, 1), line.of(2, 2)) == (6, 0, 5)


def test_a_late_bill_takes_the_place_of_the_write_off():
    line = OrderLine().move(10).paper(6).close(1).paper(3)
    assert line.of(2, 1) == 3
    assert line.written_off == {"move 1": 1}
    assert line.paper(1).written_off == {}


def test_a_late_bill_goes_to_what_is_not_written_off_first():
    line = OrderLine().move(4).move(6).close(1).paper(8)
    assert (line.of(1, 1), line.of(1, 2)) == (2, 6)
    assert line.written_off == {"move 1": 2}


def test_a_return_does_not_settle_with_what_is_written_off():
    line = OrderLine().move(10).close(1).move(-4)
    assert line.set_off_of(2) == 0
    assert line.written_off == {"move 1": 10}
    assert line.close(2).written_off == {"move 1": 10, "move 2": -4}


def test_nothing_is_left_to_write_off_of_what_is_billed():
    assert not any(OrderLine().move(10).paper(10).close(1).written_off.values())


@given(_histories(), st.data())
def test_writing_off_closes_the_line(events, data):
    """Whatever came before or comes after, each move's invoiced, settled and written
    off quantities stay within it; closing all of them leaves nothing open."""
    line = OrderLine()
    for kind, quantity in events:
        if kind == "receive":
            line.move(quantity)
        elif kind == "return":
            on_hand = sum(goods.quantity for goods in line.goods)
            if on_hand:
                line.move(-min(quantity, on_hand))
        elif kind == "bill":
            line.paper(quantity)
        elif kind == "credit":
            line.paper(-quantity)
        else:
            line.reset(quantity)
        if line.goods and data.draw(st.booleans()):
            line.close(data.draw(st.integers(1, len(line.goods))))
        for goods in line.goods:
            low, high = min(0, goods.quantity), max(0, goods.quantity)
            assert low <= goods.quantity - line._free()[goods.id] <= high
    for number, _goods in enumerate(line.goods, start=1):
        line.close(number)
    assert not any(line._free().values())

"""`tf.GradientTape`: what it watches, how it nests, what it gives; values against closed forms."""

import gc
import threading
import weakref

import numpy as np
import pytest

import tapeflow as tf


def value(x):
    return None if x is None else x.numpy().tolist()


def test_gradient_of_a_watched_constant():
    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert value(tape.gradient(y, x)) == [2.0, 4.0, 6.0]


def test_constants_have_no_gradient_until_watched():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, x) is None


def test_trainable_variables_are_watched_and_others_are_not():
    v, fixed = tf.Variable(3.0), tf.Variable(4.0, trainable=False)
    with tf.GradientTape() as tape:
        y = v * fixed
    assert value(tape.gradient(y, [v, fixed])[0]) == 4.0
    assert tape.watched_variables() == (v,) or tape.watched_variables()[0] is v
    with tf.GradientTape() as tape:
        tape.watch(fixed)
        y = v * fixed
    assert [value(g) for g in tape.gradient(y, [v, fixed])] == [4.0, 3.0]


def test_watch_accessed_variables_off():
    v, w = tf.Variable(3.0), tf.Variable(4.0)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(w)
        y = v * w
    assert [value(g) for g in tape.gradient(y, [v, w])] == [None, 3.0]


def test_a_tape_that_is_not_persistent_gives_one_gradient():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="gradient can only be called once on non-persistent tapes.*persistent=True"):
        tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="jacobian can only be called once"):
        tape.jacobian(y, x)


def test_a_persistent_tape_gives_many():
    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    assert value(tape.gradient(z, x)) == 108.0
    assert [value(g) for g in tape.gradient(z, [x, y])] == [108.0, 18.0]
    assert tape.gradient(y, z) is None


def test_sources_and_targets_in_nests():
    a, b = tf.Variable(2.0), tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        targets = {"p": a * a, "q": (b * 3.0, [a * b])}
    found = tape.gradient(targets, {"one": a, "more": [b, (a,)]})
    assert value(found["one"]) == 4.0 + 3.0
    assert value(found["more"][0]) == [5.0, 5.0]
    assert value(found["more"][1][0]) == 7.0


def test_output_gradients_scale_each_target():
    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, z = x * x, x * 2.0
    upstream = tf.constant([1.0, 10.0, 100.0])
    assert value(tape.gradient(y, x, output_gradients=upstream)) == [2.0, 40.0, 600.0]
    assert value(tape.gradient([y, z], x, output_gradients=[upstream, None])) == [4.0, 42.0, 602.0]
    with pytest.raises(ValueError, match="shape"):
        tape.gradient(y, x, output_gradients=tf.constant([1.0]))


def test_unconnected_gradients():
    x, other = tf.Variable([1.0, 2.0]), tf.Variable([[1.0]])
    with tf.GradientTape(persistent=True) as tape:
        y = x * 2.0
    assert tape.gradient(y, other) is None
    assert value(tape.gradient(y, other, unconnected_gradients="zero")) == [[0.0]]
    assert value(tape.gradient(y, [x, other], unconnected_gradients=tf.UnconnectedGradients.ZERO)[1]) == [[0.0]]
    with pytest.raises(ValueError, match="nonsense"):
        tape.gradient(y, x, unconnected_gradients="nonsense")


def test_watching_after_the_fact_leaves_what_was_computed_before_constant():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        tape.watch(x)
        z = y + x
    assert value(tape.gradient(z, x)) == 1.0


def test_second_and_third_order():
    x = tf.constant(0.5)
    with tf.GradientTape() as third:
        third.watch(x)
        with tf.GradientTape() as second:
            second.watch(x)
            with tf.GradientTape() as first:
                first.watch(x)
                y = tf.exp(2.0 * x)
            d1 = first.gradient(y, x)
        d2 = second.gradient(d1, x)
    d3 = third.gradient(d2, x)
    np.testing.assert_allclose([value(d) for d in (d1, d2, d3)], np.exp(1.0) * np.array([2.0, 4.0, 8.0]), rtol=1e-6)


def test_sibling_tapes_do_not_disturb_each_other():
    x = tf.constant(1.0)
    with tf.GradientTape() as a, tf.GradientTape() as b:
        a.watch(x)
        b.watch(x)
        y = tf.sin(x)
        z = tf.cos(x)
    np.testing.assert_allclose(value(a.gradient(y, x)), np.cos(1.0), rtol=1e-6)
    np.testing.assert_allclose(value(b.gradient(z, x)), -np.sin(1.0), rtol=1e-6)


def test_tapes_may_end_in_any_order():
    x = tf.constant(3.0)
    a, b = tf.GradientTape(), tf.GradientTape()
    a.__enter__()
    b.__enter__()
    a.watch(x)
    b.watch(x)
    a.__exit__(None, None, None)
    y = x * x
    b.__exit__(None, None, None)
    assert a.gradient(y, x) is None
    assert value(b.gradient(y, x)) == 6.0


def test_an_outer_tape_does_not_see_what_an_inner_one_watches():
    x = tf.constant(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x * x
        g = inner.gradient(y, x)
    assert outer.gradient(g, x) is None


def test_gradient_inside_the_block_of_a_persistent_tape_is_recorded():
    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x * x
        g = tape.gradient(y, x)
    assert value(g) == 27.0
    assert value(tape.gradient(g, x)) == 18.0


def test_gradient_inside_the_block_ends_the_recording_of_another():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        assert value(tape.gradient(y, x)) == 6.0
        x * x
    assert tape.summary().endswith("0 ops, 0 bytes kept for the backward pass")


def test_reset_and_stop_recording():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        tape.reset()
        tape.watch(x)
        with tape.stop_recording():
            hidden = x * 5.0
        z = x * 7.0 + hidden
    assert value(tape.gradient([y, z], x)) == 7.0
    with pytest.raises(ValueError, match="not recording"):
        tape.stop_recording()


def test_entering_a_tape_twice_is_refused():
    with tf.GradientTape() as tape:
        with pytest.raises(ValueError, match="still recording"):
            tape.__enter__()
        x = tf.Variable(2.0)
        y = x * x
    assert value(tape.gradient(y, x)) == 4.0


def test_a_finished_tape_may_go_on():
    x = tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
    with tape:
        z = y * x
    assert value(tape.gradient(z, x)) == 12.0


def test_integers_have_no_derivative():
    i = tf.constant([1, 2])
    with tf.GradientTape() as tape:
        tape.watch(i)
        y = tf.cast(i, tf.float32) * 2.0
    assert tape.gradient(y, i) is None
    x = tf.Variable([1.5, 2.5])
    with tf.GradientTape() as tape:
        y = tf.cast(tf.cast(x, tf.int32), tf.float32)
    assert tape.gradient(y, x) is None


@pytest.mark.parametrize("bad", [1.0, "x", None, np.zeros(3), object()])
def test_what_is_no_tensor_cannot_be_watched_or_differentiated(bad):
    x = tf.Variable(1.0)
    with tf.GradientTape(persistent=True) as tape:
        with pytest.raises(ValueError, match="Passed in object"):
            tape.watch(bad)
        y = x * x
    with pytest.raises(TypeError, match="target"):
        tape.gradient(bad, x)
    with pytest.raises(TypeError, match="source"):
        tape.gradient(y, bad)
    assert value(tape.gradient(y, x)) == 2.0


def test_a_variable_is_its_own_target():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        x * 2.0
    assert value(tape.gradient(x, x)) == [1.0, 1.0]


def test_assigning_breaks_the_chain_and_keeps_what_was_read():
    v, w = tf.Variable(2.0), tf.Variable(0.0)
    with tf.GradientTape() as tape:
        w.assign(v * 2.0)
        y = w * w
    assert [value(g) for g in tape.gradient(y, [v, w])] == [None, 8.0]
    v = tf.Variable([2.0, 2.0])
    with tf.GradientTape() as tape:
        before = tf.reduce_sum(v * v)
        v.assign_sub([1.0, 1.0])
        y = before + tf.reduce_sum(v * v)
    assert value(tape.gradient(y, v)) == [6.0, 6.0]


def test_threads_have_their_own_tapes():
    x = tf.constant(3.0)
    out = {}

    def other():
        out["unseen"] = x * x
        with tf.GradientTape() as own:
            own.watch(x)
            y = x * x * x
        out["own"] = value(own.gradient(y, x))

    with tf.GradientTape() as tape:
        tape.watch(x)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        y = x * 2.0
    assert out["own"] == 27.0
    assert value(tape.gradient([out["unseen"], y], x)) == 2.0


def test_only_what_a_source_needs_is_computed():
    x, frozen = tf.Variable([1.0]), tf.Variable([2.0])
    calls = []

    @tf.custom_gradient
    def noted(y):
        def grad(upstream):
            calls.append(1)
            return upstream

        return tf.identity(y), grad

    with tf.GradientTape(persistent=True) as tape:
        y = x * 3.0 + noted(frozen * 2.0)
    assert value(tape.gradient(y, x)) == [3.0] and calls == []
    assert value(tape.gradient(y, frozen)) == [2.0] and calls == [1]


def test_intermediates_die_as_the_backward_pass_goes_by():
    gc.disable()
    try:
        x = tf.constant(np.ones(4, np.float32))
        alive = []

        @tf.custom_gradient
        def look(y):
            def grad(upstream):
                alive.append([ref() is not None for ref in refs])
                return upstream

            return tf.identity(y), grad

        refs = []
        with tf.GradientTape() as tape:
            tape.watch(x)
            a = tf.exp(x)
            a = look(a)
            b = tf.exp(a)
            refs += [weakref.ref(a), weakref.ref(b)]
            c = tf.reduce_sum(b * b)
            del a, b
        tape.gradient(c, x)
        assert alive == [[False, False]]
    finally:
        gc.enable()


def test_a_loop_leaves_nothing_behind():
    x = tf.Variable(np.ones((3, 3), np.float32))

    def step():
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.exp(x) * x + tf.square(x))
        return tape.gradient(y, x)

    step()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(10_000):
            step()
        assert len(gc.get_objects()) - before < 10
    finally:
        gc.enable()


def test_summary_lists_ops_shapes_and_bytes():
    x = tf.Variable(np.ones((2, 3), np.float32))
    with tf.GradientTape() as tape:
        tf.reduce_sum(x * x + 1.0)
    lines = tape.summary().splitlines()
    assert lines[0].split() == ["op", "inputs", "output", "bytes"]
    assert lines[2].split() == ["multiply", "[2,3]", "[2,3]", "[2,3]", "24"]
    assert lines[3].split() == ["add", "[2,3]", "[]", "[2,3]", "0"]
    assert lines[4].split() == ["reduce_sum", "[2,3]", "[]", "0"]
    assert lines[-1] == "3 ops, 24 bytes kept for the backward pass"
    assert __file__ not in tape.summary()


def test_summary_shows_lines_on_request():
    x = tf.Variable(2.0)
    with tf.GradientTape(explain=True) as tape:
        x * x
    line = test_summary_shows_lines_on_request.__code__.co_firstlineno + 3
    assert f"test_tape.py:{line}" in tape.summary()


def test_a_variable_with_respect_to_itself_is_one_though_the_block_does_not_read_it():
    v, w = tf.Variable([1.0, 2.0]), tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        same = v
        y = w * 2.0
    assert tape.gradient(same, v).numpy().tolist() == [1.0, 1.0]
    assert tape.gradient(same, [w, v])[0] is None
    assert tape.gradient(v, v, output_gradients=tf.constant([5.0, 6.0])).numpy().tolist() == [5.0, 6.0]
    assert float(tape.gradient([w, y], w)) == 3.0
    assert tape.gradient(v, w) is None
    inside = tf.function(lambda: tape_of_itself(v))
    assert inside().numpy().tolist() == [1.0, 1.0]


def tape_of_itself(v):
    with tf.GradientTape() as tape:
        same = v
    return tape.gradient(same, v)

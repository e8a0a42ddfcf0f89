from support.live_server import Live


def test_the_metrics_count_what_was_done(live: Live):
    before = live.metric('semguide_denoiser_evaluations_total{method="cfg"}')
    live.events(live.start(steps=3, method="cfg")["id"])
    assert live.metric('semguide_denoiser_evaluations_total{method="cfg"}') == before + 6
    assert live.metric('semguide_image_seconds_count{method="cfg"}') >= 1
    assert live.metric('semguide_requests_total{method="POST",status="202"}') >= 1
    assert live.metric("process_resident_memory_bytes") > 0

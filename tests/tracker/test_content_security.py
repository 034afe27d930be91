from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from tracker.content_security import HEADER, ContentSecurityMiddleware, policy_for


def test_a_page_may_run_only_the_sites_own_scripts() -> None:
    policy = policy_for("/")

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_only_the_admin_may_evaluate_scripts() -> None:
    assert "'unsafe-eval'" in policy_for("/admin/pricing/offering/")
    assert "'unsafe-eval'" not in policy_for("/api/v1/docs/")
    assert "script-src 'self';" in policy_for("/api/v1/docs/")


def test_a_path_that_only_looks_like_the_admin_is_as_strict_as_any() -> None:
    assert policy_for("/administration/") == policy_for("/")


def test_a_view_may_set_a_policy_of_its_own() -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={HEADER: "default-src 'self'"})

    response = ContentSecurityMiddleware(view)(RequestFactory().get("/"))

    assert response[HEADER] == "default-src 'self'"


@pytest.mark.django_db
def test_every_answer_carries_the_headers_that_browsers_heed(client: Client) -> None:
    response = client.get("/healthz")

    assert response[HEADER] == policy_for("/healthz")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


def test_the_admins_own_files_are_served_without_debug(client: Client) -> None:
    response = client.get("/static/admin/css/base.css")

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/css")

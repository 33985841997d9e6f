"""Microsoft's own Python SDKs against the mock, unchanged but for its address. Prints one line for each thing shown.

Arguments: base address, tenant id, client id, client secret, object id of a user, file of a certificate with its key.
"""

import asyncio
import sys

import httpx
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.ip_named_location import IpNamedLocation
from msgraph.generated.models.i_pv4_cidr_range import IPv4CidrRange
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.user import User
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core import PageIterator
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

BASE, TENANT, CLIENT, SECRET, VICTIM, CERTIFICATE = sys.argv[1:7]


def credential(secret: str) -> ClientSecretCredential:
    return ClientSecretCredential(TENANT, CLIENT, secret, authority=BASE, disable_instance_discovery=True)


def client(secret: str) -> GraphServiceClient:
    host = httpx.URL(BASE).host
    provider = AzureIdentityAuthenticationProvider(
        credential(secret), scopes=["https://graph.microsoft.com/.default"], allowed_hosts=[host]
    )
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = f"{BASE}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


def shown(what: str) -> None:
    print(what, flush=True)


async def main() -> None:
    graph = client(SECRET)

    user = await graph.users.by_user_id(VICTIM).get()
    assert user.id == VICTIM and user.user_principal_name, user
    shown("signs in and reads")

    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(top=10, select=["id", "userPrincipalName"])
    page = await graph.users.get(RequestConfiguration(query_parameters=query))
    assert page.odata_next_link and len(page.value) == 10, page
    seen = []
    await PageIterator(page, graph.request_adapter).iterate(lambda one: seen.append(one.id) or True)
    assert len(seen) == len(set(seen)) > 20, seen
    shown("follows pages")

    changed = User()
    changed.account_enabled = False
    await graph.users.by_user_id(VICTIM).patch(changed)
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(select=["accountEnabled"])
    user = await graph.users.by_user_id(VICTIM).get(RequestConfiguration(query_parameters=query))
    assert user.account_enabled is False, user
    shown("writes")

    location = IpNamedLocation(display_name="from the SDK", is_trusted=False)
    location.ip_ranges = [IPv4CidrRange(cidr_address="198.51.100.0/24")]
    made = await graph.identity.conditional_access.named_locations.post(location)
    assert isinstance(made, IpNamedLocation) and made.ip_ranges[0].cidr_address == "198.51.100.0/24", made
    shown("creates, by derived types")

    batch = BatchRequestContent()
    for number, user_id in enumerate([VICTIM, "nobody"]):
        item = BatchRequestItem(graph.users.by_user_id(user_id).to_get_request_information(), id=str(number))
        # The SDK leaves the address in front, which Graph takes as little as the mock (its issue 1015).
        item.url = item.url.replace(f"{BASE}/v1.0", "")
        batch.add_request(item.id, item)
    answers = await BatchRequestBuilder(graph.request_adapter).post(batch)
    statuses = {key: answer.status for key, answer in answers.responses.items()}
    assert statuses == {"0": 200, "1": 404}, statuses
    shown("batches")

    assert (await graph.domains.get()).value
    shown("waits when throttled")

    try:
        await graph.users.by_user_id("nobody@contoso.com").get()
        raise AssertionError("nobody was found")
    except ODataError as error:
        assert isinstance(error, APIError) and error.response_status_code == 404, error
        assert error.error.code == "Request_ResourceNotFound", error.error
        assert error.error.inner_error.request_id, error.error
    shown("gets its own error type from Graph")

    by_certificate = CertificateCredential(
        TENANT, CLIENT, CERTIFICATE, authority=BASE, disable_instance_discovery=True
    )
    assert by_certificate.get_token("https://graph.microsoft.com/.default").token
    shown("signs in by certificate")

    try:
        credential("wrong").get_token("https://graph.microsoft.com/.default")
        raise AssertionError("a wrong secret got a token")
    except ClientAuthenticationError as error:
        assert "AADSTS7000215" in str(error), error
    shown("gets its own error type from the token endpoint")


asyncio.run(main())

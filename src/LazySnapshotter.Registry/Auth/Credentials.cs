using System.Net.Http.Headers;
using System.Text;

namespace LazySnapshotter.Registry.Auth;

// What a host or its token service is shown. Either a name and a password, or an identity token (an OAuth2 refresh
// token, as `docker login` leaves it for some registries). A class, not a record: nothing prints its content.
internal sealed class Credentials(string username, string password, string? identityToken = null)
{
    // Docker's name for "the secret is an identity token".
    private const string IdentityTokenUsername = "<token>";

    public string? IdentityToken { get; } = identityToken ?? (username == IdentityTokenUsername ? password : null);

    /// <summary>Null where there is only an identity token.</summary>
    public AuthenticationHeaderValue? ToBasic() => username.Length == 0 || username == IdentityTokenUsername
        ? null
        : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{password}")));
}

using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace LazySnapshotter.Registry.Common;

// What a host or its token service is shown. Either a name and a password, or an identity token (an OAuth2 refresh
// token, as `docker login` leaves it for some registries). A class, not a record: nothing prints its content.
internal sealed class Credentials(string username, string password, string? identityToken = null)
{
    // Docker's name for "the secret is an identity token".
    private const string IdentityTokenUsername = "<token>";

    private readonly string _username = username;
    private readonly string _password = password;

    public string? IdentityToken { get; } = identityToken ?? (username == IdentityTokenUsername ? password : null);

    /// <summary>There is a name and a password, perhaps beside an identity token.</summary>
    public bool HasPassword => _username.Length > 0 && _username != IdentityTokenUsername;

    /// <summary>A secret as clients hand it over; without a name it is an identity token.</summary>
    public static Credentials Of(string? username, string secret) =>
        new(string.IsNullOrEmpty(username) ? IdentityTokenUsername : username, secret);

    /// <summary>Null where there is only an identity token.</summary>
    public AuthenticationHeaderValue? ToBasic() => HasPassword
        ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_username}:{_password}")))
        : null;

    /// <summary>Name and password as OAuth2 sends them (RFC 6749 section 4.3.2).</summary>
    public IEnumerable<KeyValuePair<string, string>> ToPasswordGrant() =>
        [new("grant_type", "password"), new("username", _username), new("password", _password)];

    public bool IsSameAs(Credentials? other) =>
        other is not null && _username == other._username && _password == other._password && IdentityToken == other.IdentityToken;

    /// <summary>The same for the same credentials, and by itself of no use to anybody without the key.</summary>
    public byte[] Fingerprint(ReadOnlySpan<byte> key)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var part in (ReadOnlySpan<string>)[_username, _password, IdentityToken ?? ""])
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return hash.GetHashAndReset();
    }
}

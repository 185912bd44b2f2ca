using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Security.Cryptography;
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

    /// <summary>The same for the same credentials, and by itself of no use to anybody without the key.</summary>
    public byte[] Fingerprint(ReadOnlySpan<byte> key)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var part in (ReadOnlySpan<string>)[username, password, IdentityToken ?? ""])
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return hash.GetHashAndReset();
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace LazySnapshotter.TestSupport.Registry;

// URLs that are good for a while, in the manner of AWS signature 4: what the second host of a registry accepts.
public sealed class SignedUrls(TimeSpan lifetime, Action<string> secretMade)
{
    private byte[] _key = RandomNumberGenerator.GetBytes(32);
    private DateTimeOffset _oldestGood;

    /// <summary>Every URL signed so far is refused from now on.</summary>
    public void RevokeAll() => _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>The same for those that were signed longer than <paramref name="age"/> ago, whole seconds.</summary>
    public void RevokeOlderThan(TimeSpan age) => _oldestGood = DateTimeOffset.UtcNow - age;

    internal string Sign(string path)
    {
        var date = DateTimeOffset.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var expires = ((long)lifetime.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        var signature = Signature(path, date, expires);
        secretMade(signature);
        return $"{path}?X-Amz-Date={date}&X-Amz-Expires={expires}&X-Amz-Signature={signature}";
    }

    /// <returns>Null if it is good, else S3's error code.</returns>
    internal string? Check(string path, IQueryCollection query)
    {
        var (date, expires) = (query["X-Amz-Date"].ToString(), query["X-Amz-Expires"].ToString());
        if (query["X-Amz-Signature"] != Signature(path, date, expires))
            return "SignatureDoesNotMatch";
        var signedAt = DateTimeOffset.ParseExact(
            date, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        return signedAt < _oldestGood || signedAt.AddSeconds(long.Parse(expires, CultureInfo.InvariantCulture)) < DateTimeOffset.UtcNow
            ? "AccessDenied"
            : null;
    }

    private string Signature(string path, string date, string expires) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{path}\n{date}\n{expires}")));
}

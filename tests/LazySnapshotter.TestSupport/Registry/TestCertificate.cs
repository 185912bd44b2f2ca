using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LazySnapshotter.TestSupport.Registry;

// A certificate for loopback, good for a day, trusted by nobody unless told to.
internal static class TestCertificate
{
    /// <summary>A name for loopback that does not look like it, for clients who take loopback for plain HTTP.</summary>
    public const string OtherName = "registry.test";

    public static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName(OtherName);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    /// <summary>Certificate and key in one file, as servers that are not ours want them.</summary>
    public static async Task WriteAsync(string file)
    {
        using var certificate = Create();
        using var key = certificate.GetECDsaPrivateKey()!;
        await File.WriteAllTextAsync(file, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
    }
}

using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Registry.Http;

// Whether a host is who it says, by the system's authorities or by those configured for it. As in Go, whatever certificate
// is listed is an anchor: an authority's, an intermediate one's, or the host's own. Its name must be right in any case.
internal sealed class PeerCertificateCheck(ConnectionSettings settings)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    public bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? systemChain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None || settings.SkipVerify)
            return true;
        return errors == SslPolicyErrors.RemoteCertificateChainErrors
            && certificate is X509Certificate2 shown && LeadsToAnchor(shown, systemChain);
    }

    private bool LeadsToAnchor(X509Certificate2 shown, X509Chain? systemChain)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(settings.Authorities);
        chain.ChainPolicy.ExtraStore.AddRange(settings.Authorities);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        if (systemChain is not null)
            chain.ChainPolicy.ExtraStore.AddRange(systemChain.ChainPolicy.ExtraStore); // What the host sent along.

        // That the end of the chain is nobody's root is no matter if an anchor is somewhere in it.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
        return chain.Build(shown) && chain.ChainElements.Any(
            element => settings.Authorities.Any(anchor => anchor.RawDataMemory.Span.SequenceEqual(element.Certificate.RawDataMemory.Span)));
    }
}

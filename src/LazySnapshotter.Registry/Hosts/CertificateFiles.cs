using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Hosts;

// Reads the certificates and keys that a registry's directory names, and knows a text that changes when one of the files
// does. What cannot be read is an error that names the file; what is in a key file appears nowhere.
internal sealed class CertificateFiles
{
    private readonly StringBuilder _key = new();
    private readonly X509Certificate2Collection _authorities = [];
    private readonly List<ClientCertificate> _clients = [];

    /// <summary>The files read; when one changes, so do the settings.</summary>
    public List<string> Paths { get; } = [];

    /// <exception cref="InvalidDataException">It cannot be read, or holds no certificate.</exception>
    public void AddAuthorities(string path)
    {
        var before = _authorities.Count;
        var text = Read(path, "ca");
        try
        {
            _authorities.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException($"{path} holds a certificate that cannot be read: {e.Message}", e);
        }

        if (_authorities.Count == before)
            throw new InvalidDataException($"{path} holds no certificate in PEM form");
    }

    /// <param name="keyPath">Null where the certificate's file also has its key.</param>
    /// <exception cref="InvalidDataException">One of them cannot be read, or they do not belong together.</exception>
    public void AddClient(string certificatePath, string? keyPath)
    {
        var certificate = Read(certificatePath, "client");
        var key = keyPath is null ? certificate : Read(keyPath, "key");
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificate);
            var own = X509Certificate2.CreateFromPem(certificate, key);
            chain.RemoveAt(0);
            _clients.Add(new ClientCertificate(own, chain));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            var pair = keyPath is null ? certificatePath : $"{certificatePath} and {keyPath}";
            throw new InvalidDataException($"{pair}: not a client certificate with its private key: {e.Message}", e);
        }
    }

    public ConnectionSettings ToSettings(bool skipVerify, TimeSpan? connectTimeout)
    {
        if (_key.Length == 0 && !skipVerify && connectTimeout is null)
            return ConnectionSettings.Default;
        return new ConnectionSettings(
            string.Create(CultureInfo.InvariantCulture, $"{_key}skip_verify={skipVerify} dial_timeout={connectTimeout}"))
        {
            Authorities = _authorities,
            ClientCertificates = _clients,
            SkipVerify = skipVerify,
            ConnectTimeout = connectTimeout,
        };
    }

    /// <summary>Changes when the file does; also where there is none.</summary>
    public static string StampOf(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return file.Exists
                ? string.Create(CultureInfo.InvariantCulture, $"{path}:{file.LastWriteTimeUtc.Ticks}:{file.Length}\n")
                : $"{path}:none\n";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path}:{e.GetType().Name}\n";
        }
    }

    private string Read(string path, string use)
    {
        Paths.Add(path);
        _key.Append(use).Append('=').Append(StampOf(path));
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > RegistryLimits.CertificateFileBytesMax)
                throw new InvalidDataException($"{path} is longer than {RegistryLimits.CertificateFileBytesMax} bytes");
            using var reader = new StreamReader(file);
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path} cannot be read: {e.Message}", e);
        }
    }
}

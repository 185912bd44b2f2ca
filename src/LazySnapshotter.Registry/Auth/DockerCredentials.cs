using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Auth;

// Finds credentials for a host where `docker login` left them: a credential helper if config.json names one, the file
// itself otherwise. The file is read anew for each question, which comes once per token, so a new login is seen
// without a restart. What cannot be read is a warning and no credentials: a public image is still pulled.
internal sealed class DockerCredentials(RegistryOptions options, ILogger logger)
{
    private const string DockerHub = "docker.io";
    private const string DockerHubKey = "https://index.docker.io/v1/";

    /// <param name="host">As in an image reference, with its port.</param>
    public async Task<Credentials?> FindAsync(string host, CancellationToken cancellationToken)
    {
        if (ConfigPath() is not { } path || await LoadAsync(path, host, cancellationToken) is not { } config)
            return null;

        string[] names = host == DockerHub ? [DockerHub, "index.docker.io", "registry-1.docker.io"] : [host];
        if (config.HelperFor(names) is { } helper
            && await AskHelperAsync(helper, host, cancellationToken) is { } fromHelper)
        {
            return fromHelper;
        }

        try
        {
            return config.EntryFor(names);
        }
        catch (InvalidDataException e)
        {
            logger.DockerConfigUnusable(host, path, e.Message);
            return null;
        }
    }

    private string? ConfigPath()
    {
        if (options.DockerConfigPath is { } configured)
            return configured;
        if (Environment.GetEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } directory)
            return Path.Combine(directory, "config.json");
        var home = Environment.GetEnvironmentVariable("HOME");
        return string.IsNullOrEmpty(home) ? null : Path.Combine(home, ".docker", "config.json");
    }

    private async Task<DockerConfigFile?> LoadAsync(string path, string host, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > RegistryLimits.DockerConfigBytesMax)
                throw new InvalidDataException($"the file is longer than {RegistryLimits.DockerConfigBytesMax} bytes");
            var content = new byte[file.Length];
            await file.ReadExactlyAsync(content, cancellationToken);
            return DockerConfigFile.Parse(content);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            logger.DockerConfigUnusable(host, path, e.Message);
            return null;
        }
    }

    private async Task<Credentials?> AskHelperAsync(string helper, string host, CancellationToken cancellationToken)
    {
        try
        {
            return await CredentialHelper.GetAsync(
                helper, host == DockerHub ? DockerHubKey : host, options.CredentialHelperTimeout, cancellationToken);
        }
        catch (CredentialHelperException e)
        {
            logger.CredentialHelperFailed(host, CredentialHelper.ProgramName(helper), e.Message);
            return null;
        }
    }
}

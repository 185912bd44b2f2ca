using System.Buffers;
using System.Text;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Auth;

// Finds credentials for a repository, in the first of these that has any: what a client handed over for this very
// repository (PullSecrets), $DOCKER_AUTH_CONFIG (the content of a config.json), and the files that logins leave behind
// (CredentialFiles); in each document a credential helper before the entry. Files are read anew for each question, which
// comes once per token, so a new login is seen without a restart. What cannot be read is a warning, and the next source's
// turn: a public image is still pulled.
internal sealed class CredentialSources(RegistryOptions options, PullSecrets pullSecrets, ILogger logger)
{
    public const string EnvironmentVariable = "DOCKER_AUTH_CONFIG";

    /// <param name="host">As in an image reference, with its port.</param>
    /// <param name="repository">Null where none is in question: then only what is good for the whole host is found.</param>
    public async Task<Credentials?> FindAsync(string host, string? repository, CancellationToken cancellationToken)
    {
        if (repository is not null && pullSecrets.Find(host, repository) is { } handedOver)
            return handedOver;

        var names = DockerHub.Names.Contains(host, StringComparer.OrdinalIgnoreCase) ? DockerHub.Names : [host];
        if (Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } inEnvironment
            && Parse(Encoding.UTF8.GetBytes(inEnvironment), host, "$" + EnvironmentVariable) is { } variable
            && await FindAsync(variable, "$" + EnvironmentVariable, names, repository, cancellationToken) is { } fromEnvironment)
        {
            return fromEnvironment;
        }

        foreach (var path in CredentialFiles.Paths(options.DockerConfigPath))
        {
            if (await LoadAsync(path, host, cancellationToken) is { } file
                && await FindAsync(file, path, names, repository, cancellationToken) is { } fromFile)
            {
                return fromFile;
            }
        }

        return null;
    }

    private async Task<Credentials?> FindAsync(
        DockerConfigFile config, string place, string[] names, string? repository, CancellationToken cancellationToken)
    {
        if (config.HelperFor(names) is { } helper && await AskHelperAsync(helper, names[0], cancellationToken) is { } fromHelper)
            return fromHelper;

        try
        {
            return config.EntryFor(names, repository);
        }
        catch (InvalidDataException e)
        {
            logger.CredentialsUnusable(names[0], place, e.Message);
            return null;
        }
    }

    private async Task<DockerConfigFile?> LoadAsync(string path, string host, CancellationToken cancellationToken)
    {
        var content = ArrayPool<byte>.Shared.Rent(RegistryLimits.DockerConfigBytesMax + 1);
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            // To its end, whatever length it claims: a pipe claims none.
            var length = await file.ReadAtLeastAsync(
                content, RegistryLimits.DockerConfigBytesMax + 1, throwOnEndOfStream: false, cancellationToken);
            return Parse(content.AsSpan(0, length), host, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.CredentialsUnusable(host, path, e.Message);
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(content, clearArray: true);
        }
    }

    private DockerConfigFile? Parse(ReadOnlySpan<byte> content, string host, string place)
    {
        try
        {
            if (content.Length > RegistryLimits.DockerConfigBytesMax)
                throw new InvalidDataException($"it is longer than {RegistryLimits.DockerConfigBytesMax} bytes");
            return DockerConfigFile.Parse(content);
        }
        catch (InvalidDataException e)
        {
            logger.CredentialsUnusable(host, place, e.Message);
            return null;
        }
    }

    private async Task<Credentials?> AskHelperAsync(string helper, string host, CancellationToken cancellationToken)
    {
        try
        {
            return await CredentialHelper.GetAsync(
                helper, host == DockerHub.Name ? DockerHub.LoginKey : host, options.CredentialHelperTimeout, cancellationToken);
        }
        catch (CredentialHelperException e)
        {
            logger.CredentialHelperFailed(host, CredentialHelper.ProgramName(helper), e.Message);
            return null;
        }
    }
}

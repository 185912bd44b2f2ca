using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Auth;

internal sealed class CredentialHelperException(string message, Exception? inner = null) : Exception(message, inner);

// Asks `docker-credential-<name> get`: the host on its standard input, a JSON answer on its standard output
// (docker/docker-credential-helpers). Neither output nor error output is ever repeated: both may hold the secret.
internal static class CredentialHelper
{
    private const string NotFoundAnswer = "credentials not found in native keychain";

    public static string ProgramName(string helper) => "docker-credential-" + helper;

    /// <returns>Null if the helper has no credentials for the host.</returns>
    /// <exception cref="CredentialHelperException">The helper cannot be run, fails, takes too long or answers nonsense.</exception>
    public static async Task<Credentials?> GetAsync(string helper, string host, TimeSpan timeout, CancellationToken cancellationToken)
    {
        // The name comes from a file and becomes a program: no path, no options.
        if (helper.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            throw new CredentialHelperException("the name is not that of a program");

        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(timeout);
        using var process = Start(helper);
        try
        {
            var errors = DrainAsync(process.StandardError.BaseStream, time.Token);
            await WriteHostAsync(process, host, time.Token);
            var output = await ReadOutputAsync(process.StandardOutput.BaseStream, time.Token);
            await process.WaitForExitAsync(time.Token);
            await errors;
            return process.ExitCode == 0 ? Read(output)
                : Encoding.UTF8.GetString(output).Trim() == NotFoundAnswer ? null
                : throw new CredentialHelperException($"it ended with exit code {process.ExitCode}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CredentialHelperException($"it did not answer within {timeout.TotalSeconds:0.###} s");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static Process Start(string helper)
    {
        var start = new ProcessStartInfo(ProgramName(helper), ["get"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start) ?? throw new CredentialHelperException("it did not start");
        }
        catch (Win32Exception e)
        {
            throw new CredentialHelperException(e.Message, e);
        }
    }

    private static async Task WriteHostAsync(Process process, string host, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(host + "\n"), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // A helper that serves one host may answer, or fail, without reading the question.
        }
    }

    private static async Task<byte[]> ReadOutputAsync(Stream output, CancellationToken cancellationToken)
    {
        var buffer = new byte[RegistryLimits.HelperOutputBytesMax + 1];
        var length = await output.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= RegistryLimits.HelperOutputBytesMax
            ? buffer[..length]
            : throw new CredentialHelperException($"it answered more than {RegistryLimits.HelperOutputBytesMax} bytes");
    }

    private static async Task DrainAsync(Stream stream, CancellationToken cancellationToken) =>
        await stream.CopyToAsync(Stream.Null, cancellationToken);

    private static Credentials Read(byte[] output)
    {
        HelperAnswer? answer;
        try
        {
            answer = JsonSerializer.Deserialize(output, DockerConfigJsonContext.Default.HelperAnswer);
        }
        catch (JsonException)
        {
            throw new CredentialHelperException("its answer is not the JSON of a credential helper");
        }

        return answer is { Username.Length: > 0, Secret: not null }
            ? new Credentials(answer.Username, answer.Secret)
            : throw new CredentialHelperException("its answer holds no name and secret");
    }
}

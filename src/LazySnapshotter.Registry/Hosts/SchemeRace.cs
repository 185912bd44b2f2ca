using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Hosts;

// Which scheme a registry speaks of which nobody said: https is tried first, plain http when https has failed, or has not
// answered for a moment (as in RFC 8305, and as go-containerregistry does). Whoever answers first as a registry does has
// won. Only for names that LocalName lets through, and hosts for which hosts.toml leaves it open.
internal static class SchemeRace
{
    public static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(300);

    /// <exception cref="RegistryException">Neither answers; the error of https, which says what http's was.</exception>
    public static async Task<(T Answer, Uri Winner)> RunAsync<T>(
        Uri https, Func<Uri, CancellationToken, Task<T>> ask, TimeProvider clock, CancellationToken cancellationToken)
    {
        var http = new UriBuilder(https) { Scheme = Uri.UriSchemeHttp, Port = https.IsDefaultPort ? 80 : https.Port }.Uri;
        using var loserStops = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var headStart = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var secure = ask(https, loserStops.Token);
        await Task.WhenAny(secure, Task.Delay(HeadStart, clock, headStart.Token));
        await headStart.CancelAsync();
        if (secure.IsCompletedSuccessfully)
            return (await secure, https);
        cancellationToken.ThrowIfCancellationRequested();

        var plain = ask(http, loserStops.Token);
        var first = await Task.WhenAny(secure, plain);
        var winner = first.IsCompletedSuccessfully ? first : first == secure ? plain : secure;
        try
        {
            return (await winner, winner == secure ? https : http);
        }
        catch (RegistryException e)
        {
            var (secureError, plainError) = winner == secure ? (e, await ErrorOfAsync(plain)) : (await ErrorOfAsync(secure) ?? e, e);
            throw new RegistryException(
                secureError.Failure, secureError.Host, $"{secureError.Message}; in plain http: {plainError?.Message}",
                secureError.StatusCode, innerException: secureError)
            {
                IsTransient = secureError.IsTransient || plainError?.IsTransient == true,
                IsLasting = secureError.IsLasting && plainError?.IsLasting != false,
            };
        }
        finally
        {
            await loserStops.CancelAsync();
            await Task.WhenAll(secure, plain)
                .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private static async Task<RegistryException?> ErrorOfAsync<T>(Task<T> task)
    {
        try
        {
            await task;
            return null;
        }
        catch (RegistryException e)
        {
            return e;
        }
    }
}

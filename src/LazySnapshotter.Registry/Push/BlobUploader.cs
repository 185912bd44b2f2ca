using System.Net;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;
using LazySnapshotter.Registry.Http;
using LazySnapshotter.Registry.Requests;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Push;

// Puts one blob into one repository (distribution-spec, "Pushing a blob monolithically" and "Mounting a blob from another
// repository"): asks whether it is there, opens a session, sends the blob as one body. The session may be at another
// host, which is shown no credentials.
internal sealed class BlobUploader(
    RegistryEndpoint endpoint, string repository, Digest digest, RegistryRequests requests, RegistryOptions options,
    RegistryStatistics statistics, ILogger logger)
{
    // What a session that is of no use any more is worth waiting for.
    private static readonly TimeSpan CancelDeadline = TimeSpan.FromSeconds(5);

    private readonly string _scope = Scopes.Push(repository);
    private readonly string _uploads = $"/v2/{repository}/blobs/uploads/";
    private readonly RequestSubject _subject = RequestSubject.Upload(digest);

    public async Task<BlobPush> PushAsync(
        BlobContent content, ImageReference? mountFrom, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        if (await ExistsAsync(content.Size, cancellationToken))
            return BlobPush.Present;

        Uri? session = null;
        if (mountFrom is not null && mountFrom.Repository != repository)
        {
            (var isMounted, session) = await MountAsync(mountFrom.Repository, cancellationToken);
            if (isMounted)
                return BlobPush.Mounted;
        }

        return await UploadAsync(content, session, progress, cancellationToken);
    }

    /// <returns>Whether it was mounted; if not, the session the registry may have opened instead.</returns>
    private async Task<(bool IsMounted, Uri? Session)> MountAsync(string from, CancellationToken cancellationToken)
    {
        var path = $"{_uploads}?mount={Uri.EscapeDataString(digest.ToString())}&from={Uri.EscapeDataString(from)}";
        try
        {
            return await RetryLoop.RunAsync(options.RetryLimit, async attempt =>
            {
                using var response = await requests.SendAsync(
                    endpoint, path, Scopes.Mount(repository, from), Post(attempt), cancellationToken);
                await ResponseCheck.EnsureSuccessAsync(response.Message, response.Hop, options, cancellationToken);
                if (response.Message.StatusCode != HttpStatusCode.Created)
                    return (false, response.Message.StatusCode == HttpStatusCode.Accepted
                        ? RedirectPolicy.UploadPlace(response.Hop, response.Message)
                        : null);
                CheckClaimedDigest(response);
                return (true, (Uri?)null);
            });
        }
        catch (RegistryException e) when (e.Failure is RegistryFailure.Unauthorized or RegistryFailure.Refused or RegistryFailure.NotFound)
        {
            // Mounting saves bytes and is nobody's right: not read from there, not known there, not implemented.
            logger.MountRefused(e.Host, digest, from, e.Message);
            return (false, null);
        }
    }

    public async Task CancelAsync(Uri session)
    {
        using var deadline = new CancellationTokenSource(CancelDeadline);
        try
        {
            var cancel = new HopRequest(session, _subject) { Method = HttpMethod.Delete };
            (await requests.SendAsync(endpoint, _scope, cancel, deadline.Token)).Dispose();
        }
        catch (Exception e) when (e is RegistryException or OperationCanceledException)
        {
            // The registry forgets sessions by itself sooner or later.
        }
    }

    private Task<bool> ExistsAsync(long size, CancellationToken cancellationToken) =>
        RetryLoop.RunAsync(options.RetryLimit, async attempt =>
        {
            var head = new HopRequest(RequestSubject.Blob(digest, null)) { Method = HttpMethod.Head, Attempt = attempt };
            using var response = await requests.SendAsync(endpoint, $"/v2/{repository}/blobs/{digest}", _scope, head, cancellationToken);
            // Where HEAD is refused we do not know, and sending it again does no harm; if we may not, the upload's refusal says so.
            if (response.Message.StatusCode == HttpStatusCode.NotFound || ResponseCheck.IsHeadRefused(response.Message.StatusCode))
                return false;
            await ResponseCheck.EnsureSuccessAsync(response.Message, response.Hop, options, cancellationToken);
            var headers = response.Message.Content.Headers;
            return headers.ContentLength is not { } length || length == size || headers.ContentEncoding.Count > 0
                ? true
                : throw response.Hop.Subject.Error(
                    RegistryFailure.Protocol, response.Hop.Host, $"the registry has it with {length} bytes, its descriptor says {size}");
        });

    private async Task<BlobPush> UploadAsync(
        BlobContent content, Uri? session, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var body = new UploadBody(content, _subject, endpoint.Name, statistics, progress);
        return await RetryLoop.RunAsync(
            options.RetryLimit,
            async attempt =>
            {
                // The answer that was lost may have been a 201.
                if (attempt > 0 && await ExistsAsync(content.Size, cancellationToken))
                    return BlobPush.Uploaded;
                var place = session ?? await StartAsync(cancellationToken);
                session = null;
                await PutAsync(place, body, attempt, cancellationToken);
                return BlobPush.Uploaded;
            },
            e => body.CanRepeat && !ReferenceEquals(e, body.SourceFailure) && (e.IsTransient || e.ErrorCode == "BLOB_UPLOAD_UNKNOWN"));
    }

    private Task<Uri> StartAsync(CancellationToken cancellationToken) =>
        RetryLoop.RunAsync(options.RetryLimit, async attempt =>
        {
            using var response = await requests.SendAsync(endpoint, _uploads, _scope, Post(attempt), cancellationToken);
            await ResponseCheck.EnsureSuccessAsync(response.Message, response.Hop, options, cancellationToken);
            return response.Message.StatusCode == HttpStatusCode.Accepted
                ? RedirectPolicy.UploadPlace(response.Hop, response.Message)
                : throw Unexpected(response, "202 belongs to a new upload session");
        });

    private async Task PutAsync(Uri session, UploadBody body, int attempt, CancellationToken cancellationToken)
    {
        var isOver = false;
        try
        {
            var put = new HopRequest(WithDigest(session), _subject) { Method = HttpMethod.Put, Body = body, Attempt = attempt };
            using var response = await requests.SendAsync(endpoint, _scope, put, cancellationToken);
            await ResponseCheck.EnsureSuccessAsync(response.Message, response.Hop, options, cancellationToken);
            // The Docker registry's older documentation has 204 here.
            if (response.Message.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.NoContent))
                throw Unexpected(response, "201 belongs to a finished upload");
            isOver = true;
            CheckClaimedDigest(response);
        }
        catch (RegistryException e)
            when (e.Failure is RegistryFailure.Unreachable or RegistryFailure.TimedOut or RegistryFailure.Unavailable
            && !ReferenceEquals(e, body.SourceFailure))
        {
            isOver = true; // A host in trouble is not asked to tidy up.
            throw;
        }
        finally
        {
            if (!isOver)
                await CancelAsync(session);
        }
    }

    private HopRequest Post(int attempt) => new(_subject) { Method = HttpMethod.Post, Attempt = attempt };

    // The session's query is part of it and stays as it is.
    private Uri WithDigest(Uri session)
    {
        var text = session.GetLeftPart(UriPartial.Query);
        return new Uri(text + (session.Query.Length > 0 ? "&" : "?") + "digest=" + Uri.EscapeDataString(digest.ToString()));
    }

    private void CheckClaimedDigest(RegistryResponse response)
    {
        if (Digest.TryParse(RegistryRequests.ClaimedDigest(response.Message), out var claim)
            && claim.Algorithm == digest.Algorithm && claim != digest)
            throw response.Hop.Subject.Error(
                RegistryFailure.Protocol, response.Hop.Host, $"the registry took it as {claim}", response.Message.StatusCode);
    }

    private static RegistryException Unexpected(RegistryResponse response, string expected) => response.Hop.Subject.Error(
        RegistryFailure.Protocol, response.Hop.Host, $"{(int)response.Message.StatusCode} where {expected}", response.Message.StatusCode);
}

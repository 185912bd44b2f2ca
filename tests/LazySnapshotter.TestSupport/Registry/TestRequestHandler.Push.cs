using LazySnapshotter.Oci;
using Microsoft.AspNetCore.Http;

namespace LazySnapshotter.TestSupport.Registry;

// The writing half of the specification.
internal sealed partial class TestRequestHandler
{
    private const string Uploads = "/blobs/uploads/";

    private bool _answerIsLost;

    private bool IsReading => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    private async Task PutManifestAsync()
    {
        var (repository, tagOrDigest) = Split("/manifests/");
        if (!registry.Tokens.May(request, repository, "push"))
        {
            await UnauthorizedAsync(repository, "pull,push");
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var content = body.ToArray();
        var isDigest = Digest.TryParse(tagOrDigest, out var digest);
        if (isDigest && !digest.IsDigestOf(content))
        {
            await ErrorAsync(StatusCodes.Status400BadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content");
            return;
        }

        if (Missing(repository, content, context.Request.ContentType) is { } missing)
        {
            await ErrorAsync(StatusCodes.Status404NotFound, "MANIFEST_BLOB_UNKNOWN", "unknown to registry: " + missing);
            return;
        }

        Descriptor? put;
        lock (registry.Content) // Nobody else's put comes between the precondition and this one.
        {
            put = registry.Options.Preconditions && !PreconditionHolds(registry.Content.Manifest(repository, tagOrDigest))
                ? null
                : registry.Content.AddManifest(repository, isDigest ? null : tagOrDigest, context.Request.ContentType ?? "", content);
        }

        if (put is null)
        {
            await ErrorAsync(StatusCodes.Status412PreconditionFailed, "DENIED", "precondition failed");
            return;
        }

        Response.Headers["Docker-Content-Digest"] = put.Digest.ToString();
        Response.Headers.Location = $"/v2/{repository}/manifests/{put.Digest}";
        if (registry.Options.ReferrersApi
            && TestManifestJson.ReferrerOf(registry.Content.Manifest(repository, put.Digest.ToString())!) is { } referrer)
            Response.Headers["OCI-Subject"] = referrer.Subject.ToString();
        await AcceptedAsync(StatusCodes.Status201Created);
    }

    private bool PreconditionHolds(TestManifest? current)
    {
        var headers = context.Request.Headers;
        if (headers.IfNoneMatch == "*")
            return current is null;
        return headers.IfMatch.Count == 0 || headers.IfMatch == $"\"{current?.Digest}\"";
    }

    private string? Missing(string repository, byte[] content, string? mediaType)
    {
        if (mediaType is MediaTypes.OciIndex or MediaTypes.DockerManifestList)
        {
            return OciJson.ReadIndex(content, "pushed index").Manifests
                .FirstOrDefault(m => registry.Content.Manifest(repository, m.Digest.ToString()) is null)?.Digest.ToString();
        }

        var manifest = OciJson.ReadManifest(content, "pushed manifest");
        return manifest.Layers.Where(l => !MediaTypes.IsForeignLayer(l.MediaType)).Append(manifest.Config)
            .FirstOrDefault(b => registry.Content.Blob(repository, b.Digest.ToString()) is null)?.Digest.ToString();
    }

    private Task DeleteManifestAsync()
    {
        var (repository, tagOrDigest) = Split("/manifests/");
        if (!registry.Tokens.May(request, repository, "delete"))
            return UnauthorizedAsync(repository, "delete");
        if (!registry.Options.Deletes)
            return ErrorAsync(StatusCodes.Status405MethodNotAllowed, "UNSUPPORTED", "The operation is unsupported.");
        return registry.Content.DeleteManifest(repository, tagOrDigest)
            ? AcceptedAsync(StatusCodes.Status202Accepted)
            : ErrorAsync(StatusCodes.Status404NotFound, "MANIFEST_UNKNOWN", "manifest unknown");
    }

    private async Task UploadAsync()
    {
        var (repository, id) = Split(Uploads);
        if (!registry.Tokens.May(request, repository, "push"))
            await UnauthorizedAsync(repository, "pull,push");
        else if (HttpMethods.IsPost(request.Method))
            await StartUploadAsync(repository);
        else
            await ContinueUploadAsync(repository, id);
    }

    private Task StartUploadAsync(string repository)
    {
        var query = context.Request.Query;
        if (query.ContainsKey("mount"))
        {
            var from = query["from"].ToString();
            if (!registry.Tokens.May(request, from, "pull"))
                return UnauthorizedAsync(from, "pull");
            if (registry.Options.Mounts
                && Digest.TryParse(query["mount"].ToString(), out var digest) && registry.Content.Mount(repository, digest, from))
            {
                Response.Headers.Location = $"/v2/{repository}/blobs/{digest}";
                Response.Headers["Docker-Content-Digest"] = digest.ToString();
                return AcceptedAsync(StatusCodes.Status201Created);
            }
        }

        var (id, state) = registry.Uploads.Start(repository);
        var home = registry.Options.AbsoluteLocations ? $"{registry.Scheme}://{registry.Host}" : "";
        var place = registry.Options.UploadsElsewhere ? $"{registry.Scheme}://{registry.CdnHost}/{repository}" : $"{home}/v2/{repository}";
        Response.Headers.Location = $"{place}{Uploads}{id}?_state={Uri.EscapeDataString(state)}";
        return AcceptedAsync(StatusCodes.Status202Accepted);
    }

    private async Task UploadElsewhereAsync()
    {
        var (repository, id) = Split(Uploads);
        if (request.Authorization is not null)
            await S3ErrorAsync(StatusCodes.Status400BadRequest, "InvalidArgument", "Only one auth mechanism allowed");
        else
            await ContinueUploadAsync(repository, id);
    }

    private async Task ContinueUploadAsync(string repository, string id)
    {
        if (!registry.Uploads.IsOpen(id, repository, context.Request.Query["_state"]))
        {
            await ErrorAsync(StatusCodes.Status404NotFound, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
            return;
        }

        if (HttpMethods.IsDelete(request.Method))
        {
            registry.Uploads.End(id);
            await AcceptedAsync(StatusCodes.Status204NoContent);
            return;
        }

        if (await ReceiveAsync() is not { } content)
            return;
        registry.Uploads.End(id);
        var digest = Digest.Parse(context.Request.Query["digest"].ToString());
        if (content.Length != context.Request.ContentLength || !digest.IsDigestOf(content))
        {
            await ErrorAsync(StatusCodes.Status400BadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content");
            return;
        }

        registry.Content.AddBlob(repository, digest, content);
        Response.Headers.Location = $"/v2/{repository}/blobs/{digest}";
        Response.Headers["Docker-Content-Digest"] = digest.ToString();
        await AcceptedAsync(StatusCodes.Status201Created);
    }

    // Null if the connection was cut off.
    private async Task<byte[]?> ReceiveAsync()
    {
        using var content = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (true)
        {
            var stop = fault?.ResetUploadAt ?? fault?.StallUploadAt;
            var room = (int)Math.Min(buffer.Length, (stop ?? long.MaxValue) - content.Length);
            if (room == 0 && fault?.StallUploadAt is not null)
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            if (room == 0)
            {
                context.Abort();
                return null;
            }

            var count = await context.Request.Body.ReadAsync(buffer.AsMemory(0, room), context.RequestAborted);
            if (count == 0)
                return content.ToArray();
            request.CountReceived(count);
            await registry.Link.SendAsync(count, context.RequestAborted);
            content.Write(buffer, 0, count);
        }
    }

    private Task ReferrersAsync()
    {
        var (repository, digest) = Split("/referrers/");
        if (!registry.Tokens.MayPull(request, repository))
            return UnauthorizedAsync(repository);
        if (!registry.Options.ReferrersApi)
            return TextAsync(StatusCodes.Status404NotFound, "404 page not found\n", "text/plain; charset=utf-8");

        var wanted = context.Request.Query["artifactType"].ToString();
        var isFiltered = wanted.Length > 0 && registry.Options.FiltersReferrers;
        var all = registry.Content.Referrers(repository, Digest.Parse(digest)).Where(r => !isFiltered || r.ArtifactType == wanted).ToList();
        var start = int.TryParse(context.Request.Query["start"], out var asked) ? asked : 0;
        var page = all.Skip(start).Take(registry.Options.ReferrersPerPage).ToList();
        if (isFiltered)
            Response.Headers["OCI-Filters-Applied"] = "artifactType";
        if (start + page.Count < all.Count)
        {
            var filter = wanted.Length > 0 ? "&artifactType=" + Uri.EscapeDataString(wanted) : "";
            Response.Headers.Link = $"<{request.Path}?start={start + page.Count}{filter}>; rel=\"next\"";
        }

        Response.StatusCode = StatusCodes.Status200OK;
        Response.ContentType = MediaTypes.OciIndex;
        var json = OciJson.WriteIndex(new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = page });
        return BodyAsync(new MemoryStream(json), json.Length);
    }

    private Task TagsAsync()
    {
        var (repository, _) = Split("/tags/list");
        if (!registry.Tokens.MayPull(request, repository))
            return UnauthorizedAsync(repository);
        var all = registry.Content.Tags(repository);
        if (all.Count == 0)
            return ErrorAsync(StatusCodes.Status404NotFound, "NAME_UNKNOWN", "repository name not known to registry");
        var last = context.Request.Query["last"].ToString();
        var rest = all.Where(t => string.CompareOrdinal(t, last) > 0).ToList();
        var page = rest.Take(registry.Options.TagsPerPage).ToList();
        if (page.Count < rest.Count)
            Response.Headers.Link = $"</v2/{repository}/tags/list?last={page[^1]}>; rel=\"next\"";
        return TextAsync(StatusCodes.Status200OK,
            $$"""{"name":"{{repository}}","tags":[{{string.Join(',', page.Select(t => $"\"{t}\""))}}]}""", "application/json");
    }

    private Task AcceptedAsync(int status)
    {
        if (_answerIsLost)
            return Task.CompletedTask;
        Response.StatusCode = status;
        TestBody.ApplyHeaders(Response, fault);
        return Task.CompletedTask;
    }
}

using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace LazySnapshotter.TestSupport.Registry;

// Answers one request: first what the fault wants, then what the distribution specification wants.
internal sealed partial class TestRequestHandler(TestRegistry registry, HttpContext context, TestRequest request, Fault? fault)
{
    private HttpResponse Response => context.Response;

    public async Task AnswerAsync()
    {
        if (fault is not null)
        {
            await Task.Delay(fault.Delay, context.RequestAborted);
            if (fault.LoseAnswer)
            {
                await new TestRequestHandler(registry, context, request, null) { _answerIsLost = true }.AnswerAsync();
                context.Abort();
                return;
            }

            if (fault.ResetBeforeAnswer)
            {
                context.Abort();
                return;
            }

            if (fault.RedirectLoop)
            {
                Redirect(request.Path + request.Query);
                return;
            }

            if (fault.StatusCode is { } status)
            {
                await TextAsync(status, fault.Body, fault.ContentType);
                return;
            }
        }

        await (request.Kind switch
        {
            TestRequestKind.Token => TokenAsync(),
            TestRequestKind.Ping => PingAsync(),
            TestRequestKind.Manifest when IsReading => ManifestAsync(),
            TestRequestKind.Manifest => HttpMethods.IsDelete(request.Method) ? DeleteManifestAsync() : PutManifestAsync(),
            TestRequestKind.Blob => BlobAsync(),
            TestRequestKind.Upload => UploadAsync(),
            TestRequestKind.Referrers => ReferrersAsync(),
            TestRequestKind.Tags => TagsAsync(),
            TestRequestKind.Cdn when !IsReading => UploadElsewhereAsync(),
            TestRequestKind.Cdn => CdnAsync(),
            _ => ErrorAsync(StatusCodes.Status404NotFound, "NAME_UNKNOWN", "no such path"),
        });
    }

    private async Task TokenAsync()
    {
        var (status, json) = await registry.Tokens.AnswerAsync(request, context.Request);
        await TextAsync(status, json, "application/json");
    }

    private Task PingAsync() => registry.Tokens.MayPull(request, "") ? TextAsync(StatusCodes.Status200OK, "{}", "application/json") : UnauthorizedAsync(null);

    private async Task ManifestAsync()
    {
        var (repository, tagOrDigest) = Split("/manifests/");
        if (!registry.Tokens.MayPull(request, repository))
            await UnauthorizedAsync(repository);
        else if (registry.Content.Manifest(repository, tagOrDigest) is { } manifest)
        {
            Response.ContentType = manifest.MediaType;
            Response.Headers["Docker-Content-Digest"] = manifest.Digest.ToString();
            if (registry.Options.Preconditions)
            {
                Response.Headers.ETag = $"\"{manifest.Digest}\"";
                if (context.Request.Headers.IfNoneMatch.ToString() == Response.Headers.ETag)
                {
                    Response.StatusCode = StatusCodes.Status304NotModified;
                    TestBody.ApplyHeaders(Response, fault);
                    return;
                }
            }

            await BodyAsync(new MemoryStream(manifest.Content), manifest.Content.Length);
        }
        else
            await ErrorAsync(StatusCodes.Status404NotFound, "MANIFEST_UNKNOWN", "manifest unknown");
    }

    private async Task BlobAsync()
    {
        var (repository, digest) = Split("/blobs/");
        if (!registry.Tokens.MayPull(request, repository))
            await UnauthorizedAsync(repository);
        else if (registry.Content.Blob(repository, digest) is not { } blob)
            await ErrorAsync(StatusCodes.Status404NotFound, "BLOB_UNKNOWN", "blob unknown to registry");
        else if (registry.Options.RedirectBlobs)
            Redirect($"{registry.Scheme}://{registry.CdnHost}{registry.SignedUrls.Sign($"/{repository}/blobs/{digest}")}");
        else
            await RangeAsync(blob);
    }

    // Like S3: signed, and refusing a second kind of authentication.
    private async Task CdnAsync()
    {
        var (repository, digest) = Split("/blobs/");
        if (request.Authorization is not null)
            await S3ErrorAsync(StatusCodes.Status400BadRequest, "InvalidArgument", "Only one auth mechanism allowed");
        else if (registry.SignedUrls.Check(request.Path, context.Request.Query) is { } code)
            await S3ErrorAsync(StatusCodes.Status403Forbidden, code, "Request has expired");
        else if (registry.Content.Blob(repository, digest) is { } blob)
            await RangeAsync(blob);
        else
            await S3ErrorAsync(StatusCodes.Status404NotFound, "NoSuchKey", "The specified key does not exist.");
    }

    private async Task RangeAsync(TestBlob blob)
    {
        Response.ContentType = "application/octet-stream";
        Response.Headers.AcceptRanges = "bytes";
        var range = fault is { IgnoreRange: true } ? null : new RequestHeaders(context.Request.Headers).Range;
        var (start, end) = (0L, blob.Length);
        if (range is { Unit.Value: "bytes", Ranges.Count: 1 })
        {
            var asked = range.Ranges.Single();
            start = asked.From ?? Math.Max(0, blob.Length - asked.To!.Value);
            end = asked.From is null || asked.To is null ? blob.Length : Math.Min(blob.Length, asked.To.Value + 1);
            if (start >= blob.Length)
            {
                Response.Headers.ContentRange = new ContentRangeHeaderValue(blob.Length).ToString();
                await ErrorAsync(StatusCodes.Status416RangeNotSatisfiable, "RANGE_INVALID", "range beyond the end");
                return;
            }

            Response.StatusCode = StatusCodes.Status206PartialContent;
            Response.Headers.ContentRange = new ContentRangeHeaderValue(start, end - 1, blob.Length).ToString();
        }

        await using var content = blob.Open(start);
        await BodyAsync(content, end - start);
    }

    private Task UnauthorizedAsync(string? repository, string action = "pull")
    {
        var scope = repository is null ? "" : $",scope=\"repository:{repository}:{action}\"";
        Response.Headers.WWWAuthenticate = registry.Options.Auth == TestAuthMode.Basic
            ? "Basic realm=\"test registry\""
            : $"Bearer realm=\"{registry.Scheme}://{registry.TokenHost}/token\",service=\"test registry\"{scope}";
        return ErrorAsync(StatusCodes.Status401Unauthorized, "UNAUTHORIZED", "authentication required");
    }

    private void Redirect(string location)
    {
        Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        Response.Headers.Location = location;
        TestBody.ApplyHeaders(Response, fault);
    }

    private Task ErrorAsync(int status, string code, string message) =>
        TextAsync(status, $$"""{"errors":[{"code":"{{code}}","message":"{{message}}","detail":null}]}""", "application/json");

    private Task S3ErrorAsync(int status, string code, string message) => TextAsync(
        status, $"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message><StringToSign>{request.Query}</StringToSign></Error>", "application/xml");

    private Task TextAsync(int status, string text, string contentType)
    {
        Response.StatusCode = status;
        Response.ContentType = contentType;
        var bytes = Encoding.UTF8.GetBytes(text);
        return BodyAsync(new MemoryStream(bytes), bytes.Length);
    }

    private Task BodyAsync(Stream content, long length) => new TestBody(context, request, registry.Link, fault).WriteAsync(content, length);

    // "/v2/library/python/blobs/sha256:..." -> "library/python", "sha256:...". At the CDN the path has no "/v2".
    private (string Repository, string Last) Split(string separator)
    {
        var at = request.Path.LastIndexOf(separator, StringComparison.Ordinal);
        if (at < 0)
            return ("", "");
        var repository = request.Path[..at].TrimStart('/');
        return (repository.StartsWith("v2/", StringComparison.Ordinal) ? repository["v2/".Length..] : repository, request.Path[(at + separator.Length)..]);
    }
}

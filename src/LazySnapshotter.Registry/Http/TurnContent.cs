using System.Net;
using LazySnapshotter.Registry.Scheduling;

namespace LazySnapshotter.Registry.Http;

// A response's content that holds its request's turn at the host: until the last byte was read, the body broke, or the
// response is disposed of, whichever comes first. What has no bytes to come gives the turn back when its head is here;
// so does every answer that is no success, since whoever gets one goes on to ask somebody else. The same end is when the
// hop is reported.
internal sealed class TurnContent : HttpContent
{
    private readonly HttpContent _content;
    private readonly Turn _turn;
    private readonly HopReport _report;

    private TurnContent(HttpContent content, Turn turn, HopReport report)
    {
        _content = content;
        _turn = turn;
        _report = report;
        foreach (var (name, values) in content.Headers.NonValidated)
            Headers.TryAddWithoutValidation(name, values);
    }

    public static void Attach(HttpResponseMessage response, Turn turn, HopReport report)
    {
        var hasBody = response.Content.Headers.ContentLength != 0 && response.RequestMessage?.Method != HttpMethod.Head;
        if (!response.IsSuccessStatusCode || !hasBody)
            turn.Dispose();
        if (hasBody)
            response.Content = new TurnContent(response.Content, turn, report);
        else
            report.End();
    }

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        new TurnStream(await _content.ReadAsStreamAsync(cancellationToken), _turn, _report);

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) =>
        new TurnStream(_content.ReadAsStream(cancellationToken), _turn, _report);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _content.CopyToAsync(stream, context);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _content.Dispose();
            _turn.Dispose();
            _report.End();
        }

        base.Dispose(disposing);
    }
}

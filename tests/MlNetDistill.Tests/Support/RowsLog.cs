using Microsoft.ML;

namespace MlNetDistill.Tests.Support;

/// <summary>The lines that the trainer writes to <c>MLContext.Log</c>.</summary>
internal sealed class RowsLog
{
    private readonly List<LoggingEventArgs> _events = [];

    public RowsLog(MLContext context) => context.Log += (_, line) =>
    {
        lock (_events)
        {
            if (line.Source.Contains("Distillation", StringComparison.Ordinal))
                _events.Add(line);
        }
    };

    public IReadOnlyList<string> Lines => [.. _events.Select(e => e.RawMessage)];

    public IReadOnlyList<string> Warnings => [.. _events.Where(e => e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning).Select(e => e.RawMessage)];
}

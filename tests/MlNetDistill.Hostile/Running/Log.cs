using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MlNetDistill.Hostile.Running;

/// <summary>What the library warned of during a case, in every context that <see cref="Context"/> made.</summary>
internal static class Log
{
    private static readonly List<string> Heard = [];

    public static IReadOnlyList<string> Warnings
    {
        get
        {
            lock (Heard)
                return [.. Heard];
        }
    }

    public static void Clear()
    {
        lock (Heard)
            Heard.Clear();
    }

    /// <summary>A context that is listened to.</summary>
    public static MLContext Context(int? seed = 1)
    {
        var context = new MLContext(seed);
        context.Log += (_, line) =>
        {
            if (line.Kind != ChannelMessageKind.Warning)
                return;
            lock (Heard)
                Heard.Add(line.RawMessage);
        };
        return context;
    }
}

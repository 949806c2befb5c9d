using Microsoft.ML.Runtime;

namespace MlNetDistill.Diagnostics;

/// <summary>Plain messages to an ML.NET channel, from where they reach <c>MLContext.Log</c>. ML.NET's own short forms are internal.</summary>
internal static class ChannelMessages
{
    public static void Info(this IChannel channel, FormattableString message) => channel.Info(MessageSensitivity.None, FormattableString.Invariant(message));

    public static void Warning(this IChannel channel, FormattableString message) =>
        channel.Warning(MessageSensitivity.None, FormattableString.Invariant(message));
}

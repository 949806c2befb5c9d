using Microsoft.ML.Runtime;

namespace MlNetDistill.Diagnostics;

/// <summary>Sends messages to an ML.NET channel, which passes them to <c>MLContext.Log</c>. ML.NET's own extensions for this are internal.</summary>
internal static class ChannelMessages
{
    public static void Info(this IChannel channel, FormattableString message) => channel.Info(MessageSensitivity.None, FormattableString.Invariant(message));

    public static void Warning(this IChannel channel, FormattableString message) =>
        channel.Warning(MessageSensitivity.None, FormattableString.Invariant(message));
}

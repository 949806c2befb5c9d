using Microsoft.ML.Runtime;

namespace MlNetDistill.Diagnostics;

/// <summary>
/// The channel of a fit. It collects warnings: each goes to <c>MLContext.Log</c> and to <see cref="DistilledStudent.Warnings"/>, the same warning only once.
/// </summary>
/// <param name="channel">Where everything goes.</param>
/// <param name="prefix">What each warning begins with there; not in <see cref="Warnings"/>.</param>
internal sealed class WarningChannel(IChannel channel, string prefix = "") : IChannel
{
    private readonly List<string> _warnings = [];
    private readonly Lock _lock = new();

    /// <summary>The warnings so far, in order.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            lock (_lock)
                return [.. _warnings];
        }
    }

    public string ContextDescription => channel.ContextDescription;

    public void Warning(MessageSensitivity sensitivity, string message)
    {
        lock (_lock)
        {
            if (_warnings.Contains(message))
                return;
            _warnings.Add(message);
        }

        channel.Warning(sensitivity, prefix + message);
    }

    public void Warning(MessageSensitivity sensitivity, string fmt, params object[] args) =>
        Warning(sensitivity, string.Format(System.Globalization.CultureInfo.InvariantCulture, fmt, args));

    public void Info(MessageSensitivity sensitivity, string message) => channel.Info(sensitivity, message);

    public void Info(MessageSensitivity sensitivity, string fmt, params object[] args) => channel.Info(sensitivity, fmt, args);

    public void Trace(MessageSensitivity sensitivity, string message) => channel.Trace(sensitivity, message);

    public void Trace(MessageSensitivity sensitivity, string fmt, params object[] args) => channel.Trace(sensitivity, fmt, args);

    public void Error(MessageSensitivity sensitivity, string message) => channel.Error(sensitivity, message);

    public void Error(MessageSensitivity sensitivity, string fmt, params object[] args) => channel.Error(sensitivity, fmt, args);

    public void Send(ChannelMessage msg) => channel.Send(msg);

    public TException Process<TException>(TException ex)
        where TException : Exception => channel.Process(ex);

    public void Dispose() => channel.Dispose();
}

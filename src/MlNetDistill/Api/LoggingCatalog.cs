using Microsoft.Extensions.Logging;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Forwards ML.NET's messages, which include this library's, to <c>Microsoft.Extensions.Logging</c>.</summary>
public static class LoggingCatalog
{
    /// <summary>Forwards the messages of <see cref="MLContext.Log"/> to a logger, until the returned object is disposed.</summary>
    /// <remarks>
    /// The level is the message's kind: Trace, Information, Warning or Error. Structured values are Source (for example
    /// <c>DistillationTrainer; Distillation</c>), Kind and Message. An exception of the logger is thrown by the ML.NET operation that logged.
    /// </remarks>
    /// <param name="mlContext">The context whose messages are forwarded.</param>
    /// <param name="logger">The logger.</param>
    /// <example>
    /// <code>
    /// using var forwarding = mlContext.LogTo(loggerFactory.CreateLogger("Microsoft.ML"));
    /// </code>
    /// </example>
    public static IDisposable LogTo(this MLContext mlContext, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        ArgumentNullException.ThrowIfNull(logger);
        return new Forwarding(mlContext, logger);
    }

    private sealed class Forwarding : IDisposable
    {
        private readonly MLContext _mlContext;
        private readonly ILogger _logger;

        public Forwarding(MLContext mlContext, ILogger logger)
        {
            (_mlContext, _logger) = (mlContext, logger);
            _mlContext.Log += Forward;
        }

        public void Dispose() => _mlContext.Log -= Forward;

        private void Forward(object? sender, LoggingEventArgs line)
        {
            var level = line.Kind switch
            {
                ChannelMessageKind.Trace => LogLevel.Trace,
                ChannelMessageKind.Info => LogLevel.Information,
                ChannelMessageKind.Warning => LogLevel.Warning,
                _ => LogLevel.Error,
            };
            if (_logger.IsEnabled(level))
                _logger.Log(level, default, Values(line), null, (_, _) => $"{line.Source}: {line.RawMessage}");
        }

        private static KeyValuePair<string, object?>[] Values(LoggingEventArgs line) =>
            [new("Source", line.Source), new("Kind", line.Kind), new("Message", line.RawMessage), new("{OriginalFormat}", "{Source}: {Message}")];
    }
}

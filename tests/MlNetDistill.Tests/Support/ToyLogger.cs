using Microsoft.Extensions.Logging;

namespace MlNetDistill.Tests.Support;

/// <summary>A logger that keeps what it is given.</summary>
internal sealed class ToyLogger(Func<bool>? fails = null) : ILogger
{
    public List<(LogLevel Level, string Text, IReadOnlyDictionary<string, object?> Values)> Lines { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (fails?.Invoke() == true)
            throw new InvalidOperationException("The logger is down.");
        lock (Lines)
            Lines.Add((logLevel, formatter(state, exception), ((IEnumerable<KeyValuePair<string, object?>>)state!).ToDictionary()));
    }
}

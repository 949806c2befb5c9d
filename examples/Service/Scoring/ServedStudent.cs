namespace Service.Scoring;

/// <summary>
/// A student in service, with what scores with it. Requests that began with it end with it: it is disposed when another has replaced it and its last request has been
/// answered.
/// </summary>
/// <param name="student">The model, which this disposes.</param>
/// <param name="scorer">Scores with it; disposed before it.</param>
/// <param name="instruments">Count the students in memory.</param>
internal sealed class ServedStudent(LoadedStudent student, IScorer scorer, ScoringInstruments instruments)
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The first user is the owner.
    private int _users = 1;

    public LoadedStudent Student => student;

    public IScorer Scorer => scorer;

    /// <summary>Ends when it has been disposed.</summary>
    public Task End => _end.Task;

    /// <summary>Starts to serve a student.</summary>
    public static ServedStudent Start(LoadedStudent student, ServiceSettings settings, ScoringInstruments instruments)
    {
        var scorer = student.Features.IsByte
            ? CreateScorer(student, settings, instruments, value => (byte)value)
            : CreateScorer(student, settings, instruments, value => value);
        instruments.Models.Add(1);
        return new ServedStudent(student, scorer, instruments);
    }

    /// <summary>Keeps it from being disposed until <see cref="RemoveUser"/>.</summary>
    /// <returns>Whether it was not disposed yet.</returns>
    public bool TryAddUser()
    {
        for (var users = Volatile.Read(ref _users); users > 0;)
        {
            var found = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (found == users)
                return true;
            users = found;
        }

        return false;
    }

    /// <summary>Called by each user and by the owner, once. After the last call it is disposed, on another thread: no request waits for that.</summary>
    public void RemoveUser()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            _ = Task.Run(DisposeAll);
    }

    /// <summary>Scores a row of zeros.</summary>
    /// <returns>What is wrong with its probabilities, or null.</returns>
    public async Task<string?> Try()
    {
        var scores = await scorer.Score(new float[student.Features.Length]);
        if (scores.Length != student.Classes.Count)
            return FormattableString.Invariant($"It gives {scores.Length} probabilities for {student.Classes.Count} classes.");
        // A tolerance for rounding, enough for many classes.
        return Math.Abs(scores.Sum() - 1) < 1e-3 ? null : FormattableString.Invariant($"The probabilities of a row of zeros sum to {scores.Sum()}.");
    }

    private static IScorer CreateScorer<T>(LoadedStudent student, ServiceSettings settings, ScoringInstruments instruments, Converter<float, T> convert) =>
        settings.MaxBatch == 1 ? new EnginePool<T>(student, convert, instruments) : new BatchQueue<T>(student, convert, settings, instruments);

    private async Task DisposeAll()
    {
        try
        {
            await scorer.DisposeAsync();
            student.Dispose();
            instruments.Models.Add(-1);
            _end.SetResult();
        }
        catch (Exception e)
        {
            _end.SetException(e);
        }
    }
}

namespace MlNetDistill.Evaluation;

/// <summary>The largest of many scores, added from several threads. It holds at most twice as many as are wanted.</summary>
internal sealed class TopScores
{
    private readonly Lock _lock = new();
    private readonly int _wanted;
    private readonly List<float> _scores = [];
    private float _least = float.NegativeInfinity;

    /// <param name="wanted">How many, at least 1.</param>
    public TopScores(long wanted) => _wanted = (int)Math.Min(wanted, Array.MaxLength / 2);

    /// <summary>The wanted scores, from the largest down; fewer if fewer were added.</summary>
    public float[] Sorted()
    {
        lock (_lock)
        {
            Shorten();
            return [.. _scores];
        }
    }

    /// <summary>Adds some scores.</summary>
    public void Add(List<float> scores)
    {
        lock (_lock)
        {
            foreach (var score in scores)
            {
                if (score >= _least)
                    _scores.Add(score);
            }

            if (_scores.Count >= 2L * Math.Max(_wanted, 1 << 16))
                Shorten();
        }
    }

    private void Shorten()
    {
        _scores.Sort((a, b) => b.CompareTo(a));
        if (_scores.Count <= _wanted)
            return;
        _scores.RemoveRange(_wanted, _scores.Count - _wanted);
        _least = _scores[^1];
    }
}

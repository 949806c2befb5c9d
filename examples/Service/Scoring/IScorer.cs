namespace Service.Scoring;

/// <summary>Scores rows, for any number of callers at the same time.</summary>
internal interface IScorer : IAsyncDisposable
{
    /// <summary>The probability of each class.</summary>
    /// <param name="features">The values that the student reads; for bytes, whole numbers from 0 to 255.</param>
    ValueTask<float[]> Score(float[] features);
}

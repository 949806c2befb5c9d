namespace Service.Web;

/// <summary>What is asked.</summary>
/// <param name="Features">The values of a row.</param>
internal sealed record ScoreRequest(float[]? Features);

/// <summary>What is answered.</summary>
/// <param name="Label">The most probable class.</param>
/// <param name="Probabilities">The probability of each class, by name.</param>
internal sealed record ScoreAnswer(string Label, IReadOnlyDictionary<string, float> Probabilities);

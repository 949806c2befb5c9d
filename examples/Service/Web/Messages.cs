namespace Service.Web;

/// <summary>The body of a request.</summary>
/// <param name="Features">The values of a row.</param>
internal sealed record ScoreRequest(float[]? Features);

/// <summary>The body of an answer.</summary>
/// <param name="Label">The most probable class.</param>
/// <param name="Probabilities">The probability of each class, by name.</param>
internal sealed record ScoreAnswer(string Label, IReadOnlyDictionary<string, float> Probabilities);

/// <summary>The student in service.</summary>
/// <param name="File">The file that it was loaded from.</param>
/// <param name="Sha256">The hash of the file, as <c>sha256sum</c> prints it.</param>
/// <param name="Loaded">When it was loaded.</param>
/// <param name="Features">Number of features that it reads.</param>
/// <param name="Classes">Names of its classes.</param>
/// <param name="Refused">Why the newest file was refused; null if it is served.</param>
internal sealed record ModelAnswer(string File, string Sha256, DateTimeOffset Loaded, int Features, IReadOnlyList<string> Classes, string? Refused);

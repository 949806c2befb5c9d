namespace MlNetDistill.Training;

/// <summary>How far an epoch was when the state was saved in the middle of it.</summary>
/// <param name="Rounds">Rounds trained: batches, or of a bilevel stage groups of batches.</param>
/// <param name="Rows">Rows trained.</param>
/// <param name="Losses">The sums of the loss terms.</param>
/// <param name="Quiz">Of a bilevel stage, the rounds with a quiz and the sum of its losses; null in other stages.</param>
internal sealed record EpochPart(int Rounds, long Rows, LossSums Losses, QuizSum? Quiz);

/// <summary>The sums of the loss terms over a part of an epoch.</summary>
/// <param name="Steps">Number of steps.</param>
/// <param name="Sums">The sum of each term.</param>
/// <param name="First">The first value of each term in the stage; null for a term that has none yet.</param>
/// <param name="Reached">Whether some value of each term depended on the student.</param>
internal sealed record LossSums(int Steps, IReadOnlyList<double> Sums, IReadOnlyList<double?> First, IReadOnlyList<bool> Reached);

/// <summary>The sum of the losses of a quiz over a part of an epoch.</summary>
/// <param name="Rounds">Number of rounds.</param>
/// <param name="Sum">The sum of their losses.</param>
internal sealed record QuizSum(int Rounds, double Sum);

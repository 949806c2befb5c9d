using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Tests.Support;

/// <summary>Every method, for tests of what holds for all; student and teacher have a tap each or more.</summary>
internal static class EveryMethod
{
    private static readonly StagePair[] TwoPairs = [new(0, 0), new(0, 0)];

    public static IReadOnlyList<(string Name, DistillationMethod Method)> All { get; } =
    [
        ("KD", DistillationMethod.Kd()),
        ("DIST", DistillationMethod.Dist()),
        ("CCKD", DistillationMethod.Cckd()),
        ("RCO", DistillationMethod.Rco()),
        ("RCO in one stage", DistillationMethod.Rco(schedule: RcoSchedule.OneStage)),
        ("RCO×DIST", DistillationMethod.Rco(DistillationMethod.Dist())),
        ("SSKD", DistillationMethod.Sskd()),
        ("MetaDistil", Meta),
        ("RCO×MetaDistil", DistillationMethod.Rco(Meta)),
        ("RCO×SSKD", DistillationMethod.Rco(DistillationMethod.Sskd())),
        ("NKD", DistillationMethod.Nkd()),
        ("TTM", DistillationMethod.Ttm()),
        ("WTTM", DistillationMethod.Wttm()),
        ("RLD", DistillationMethod.Rld()),
        ("logit matching", DistillationMethod.LogitMatching()),
        ("KD of the true class", DistillationMethod.PartialKd(TeacherTargets.TrueClass())),
        ("KD of the top 1", DistillationMethod.PartialKd(TeacherTargets.TopK(1))),
        ("RCO×RLD", DistillationMethod.Rco(DistillationMethod.Rld())),
        ("Graph KD", DistillationMethod.GraphKd()),
        ("Graph KD of neighbours", DistillationMethod.GraphKd(power: 2, neighbours: 4)),
        ("RCO×Graph KD", DistillationMethod.Rco(DistillationMethod.GraphKd())),
        ("Lipschitz", DistillationMethod.Lipschitz(TwoPairs)),
        ("RCO×Lipschitz in one stage", DistillationMethod.Rco(DistillationMethod.Lipschitz(TwoPairs), schedule: RcoSchedule.OneStage)),
        ("SimKD", DistillationMethod.SimKd()),
        ("RCO×SimKD", DistillationMethod.Rco(DistillationMethod.SimKd())),
        ("hint", DistillationMethod.FromLoss("hint", new CrossEntropyLoss() + new HintLoss((0, 0)))),
    ];

    // The teacher learns in all epochs but the first half.
    private static DistillationMethod Meta => DistillationMethod.MetaDistil(new MetaDistilOptions { FixedTeacherShare = 0.5 });

    /// <summary>The student of a method: a method that keeps the teacher's last layer needs one whose embedding is as long as the teacher's.</summary>
    public static NetworkSpec StudentFor(DistillationMethod method, NetworkSpec student, int teacherEmbedding) =>
        method.NeedsLastLayer ? NetworkSpec.Projected(student, teacherEmbedding) : student;
}

using FidelityStudy.Training;
using MlNetDistill.Losses;

namespace FidelityStudy;

/// <summary>
/// The levels of a teacher's knowledge (Tang et al. 2020), each taught alone: students that differ only in their targets. Half of the loss is the labels', and T = 1, our
/// choice; the similarity of classes and the smoothed labels need no answer of the teacher for a row.
/// </summary>
internal static class Levels
{
    public const string Everything = "all of it (KD)";
    private const string Question = "Which part of the teacher's knowledge helps?";
    private const int Top = 3;

    public static IReadOnlyList<Trial> All =>
    [
        new(Question, Questions.LabelsAlone, r => Usual(r) with { Teacher = null }, Questions.LabelsAlone),
        Part("smoothed labels", _ => TeacherTargets.Smoothed(), asksTeacher: false),
        Part("similarity of classes", r => r.ClassSimilarity, asksTeacher: false),
        Part("true class only", _ => TeacherTargets.TrueClass()),
        Part($"top {Top} classes", _ => TeacherTargets.TopK(Top)),
        new(Question, Everything, Usual, Questions.LabelsAlone, IsDiagnosed: true),
    ];

    private static Trial Part(string name, Func<Repetition, TeacherTargets> targets, bool asksTeacher = true) => new(
        Question, name, r => Usual(r) with { Targets = targets(r), Teacher = asksTeacher ? r.Main.Teacher : null }, Questions.LabelsAlone);

    private static TrainingSetup Usual(Repetition r) => new()
    {
        Student = r.Plan.Student,
        Teacher = r.Main.Teacher,
        Compared = r.Main,
        Rows = r.Rows.Train,
        Epochs = r.Plan.Epochs,
        Alpha = 0.5,
        Temperature = 1,
    };
}

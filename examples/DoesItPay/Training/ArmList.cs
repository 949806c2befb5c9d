using DoesItPay.Data;
using Microsoft.ML;

namespace DoesItPay.Training;

/// <summary>A way to train a student.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Title">Its name in the table.</param>
/// <param name="IsAlone">Whether it needs no teacher.</param>
/// <param name="Rows">Rows that an epoch will have.</param>
/// <param name="Describe">Its settings before anything is trained, by which a result is known again.</param>
/// <param name="Train">Trains, and returns the pipeline.</param>
internal sealed record Arm(
    string Name,
    string Title,
    bool IsAlone,
    Func<Sample, int> Rows,
    Func<Assignment, string> Describe,
    Func<Assignment, FittedTeacher, ITransformer> Train);

/// <summary>All ways to train a student, in the order of the table.</summary>
internal static class ArmList
{
    public const string AloneSearched = "alone-searched";

    public static IReadOnlyList<Arm> All { get; } =
    [
        new("alone", "alone, defaults", true,
            sample => sample.Labelled.Length,
            work => $"{work.Alone(work.EpochsAlone)}",
            (work, _) => work.Fit(work.Alone(work.EpochsAlone), Labelled(work))),
        new(AloneSearched, "alone, searched", true,
            sample => sample.Labelled.Length,
            AloneSearch.Describe,
            (work, _) => work.Fit(work.Searched.Value.Options(work), Labelled(work))),
        new("distill", "Distill, defaults", false,
            sample => sample.All.Length,
            work => $"{work.Taught()}",
            (work, teacher) => work.Fit(work.Taught() with { Teacher = teacher.Teacher }, work.Views.View(work.Sample.All))),
        new("autogluon", "AutoGluon's recipe", false,
            sample => sample.Labelled.Length + AutoGluon.AddedRows(sample),
            AutoGluon.Describe,
            AutoGluon.Train),
    ];

    public static Arm Get(string name) => All.Single(arm => arm.Name == name);

    private static IDataView Labelled(Assignment work) => work.Views.View(work.Sample.Labelled);
}

using DoesItPay.Data;
using Microsoft.ML;
using MlNetDistill;

namespace DoesItPay.Training;

/// <summary>A way to train a student.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Title">Its name in the table.</param>
/// <param name="IsAlone">Whether it needs no teacher.</param>
/// <param name="Rows">Rows that an epoch will have, at most.</param>
/// <param name="Describe">Its settings before anything is trained, by which a result is known again.</param>
/// <param name="Train">Trains, and returns the pipeline.</param>
internal sealed record Arm(
    string Name,
    string Title,
    bool IsAlone,
    Func<Sample, int> Rows,
    Func<Assignment, string> Describe,
    Func<Assignment, FittedTeacher, ITransformer> Train)
{
    /// <summary>What is done before a fit and is no part of its time: a search.</summary>
    public Func<Assignment, FittedTeacher, object?> Prepare { get; init; } = (_, _) => null;

    /// <summary>Rows that an epoch has, where what <see cref="Prepare"/> found decides about them.</summary>
    public Func<Assignment, FittedTeacher, int>? RowsFound { get; init; }
}

/// <summary>All ways to train a student, in the order of the table.</summary>
internal static class ArmList
{
    public const string AloneSearched = "alone-searched";
    private const int MadeUpCopies = 5;

    public static IReadOnlyList<Arm> All { get; } =
    [
        new("alone", "alone, defaults", true,
            sample => sample.Labelled.Length,
            work => $"{work.Alone(work.EpochsAlone ?? work.Epochs)}",
            (work, _) => work.Fit(work.Alone(work.EpochsAlone ?? work.Epochs), Labelled(work))),
        new(AloneSearched, "alone, searched", true,
            sample => sample.Labelled.Length,
            AloneSearch.Describe,
            (work, _) => work.Fit(work.Searched.Value.Options(work), Labelled(work)))
        { Prepare = (work, _) => work.Searched.Value },
        new("distill", "Distill, defaults", false,
            sample => sample.All.Length,
            work => $"{work.Taught()}",
            (work, teacher) => work.Fit(work.Taught() with { Teacher = teacher.Teacher }, work.Views.View(work.Sample.All))),
        new("distill-rows", "Distill, made-up rows", false,
            RowsWithMadeUp,
            work => $"{WithMadeUp(work)}",
            (work, teacher) => work.Fit(WithMadeUp(work) with { Teacher = teacher.Teacher }, work.Views.View(work.Sample.All))),
        new("distill-searched", "Search", false,
            RowsWithMadeUp,
            work => $"{WithMadeUp(work)}\n{DistillSearch.Describe()}",
            DistillSearch.Train)
        { Prepare = (work, teacher) => work.SearchedDistill(teacher.Name), RowsFound = RowsOfSearched },
        new("autogluon", "AutoGluon's recipe", false,
            sample => sample.Labelled.Length + AutoGluon.AddedRows(sample),
            AutoGluon.Describe,
            AutoGluon.Train),
    ];

    public static Arm Get(string name) => All.Single(arm => arm.Name == name);

    /// <summary>The defaults, with rows made up by MUNGE.</summary>
    public static DistillationOptions WithMadeUp(Assignment work) => work.Taught() with { TransferRows = TransferRows.Munge(MadeUpCopies) };

    private static int RowsWithMadeUp(Sample sample) => sample.All.Length + Math.Min(MadeUpCopies * sample.All.Length, TransferRows.Munge().MaximumRows);

    private static int RowsOfSearched(Assignment work, FittedTeacher teacher)
    {
        var found = work.SearchedDistill(teacher.Name);
        return DistillSearch.IsAlone(found) ? work.Sample.Labelled.Length : found.TransferRows is null ? work.Sample.All.Length : RowsWithMadeUp(work.Sample);
    }

    private static IDataView Labelled(Assignment work) => work.Views.View(work.Sample.Labelled);
}

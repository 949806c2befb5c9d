using DoesItPay.Data;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Methods;

namespace DoesItPay.Training;

/// <summary>
/// The recipe of AutoGluon's <c>distill</c> (its code, with its defaults): labelled rows keep their labels, new rows get the teacher's probabilities, both count the same
/// in a cross-entropy without temperature. The new rows are made up by spunge, five for each labelled one; where there are unlabelled rows, these are used instead.
/// </summary>
internal static class AutoGluon
{
    private const int SizeFactor = 5;

    private static TransferRows MadeUp { get; } = TransferRows.Spunge(copies: SizeFactor);

    public static DistillationOptions Options(Assignment work) => work.Options(work.Epochs) with
    {
        // All that is learnt is in the column: a labelled row has probability 1 for its class. At T = 1, KL differs from cross-entropy by a constant.
        Teacher = Teacher.FromColumn(nameof(Record.Target), classNames: work.Views.Set.Classes),
        Method = DistillationMethod.Kd(temperature: 1, alpha: 1),
        MissingLabels = MissingLabels.TeacherOnly,
    };

    public static int AddedRows(Sample sample) => sample.Unlabelled.Length > 0 ? sample.Unlabelled.Length : Math.Min(SizeFactor * sample.Labelled.Length, MadeUp.MaximumRows);

    public static string Describe(Assignment work) => $"{Options(work)}\n{(work.Sample.Unlabelled.Length > 0 ? "unlabelled rows" : $"{MadeUp}")}";

    public static ITransformer Train(Assignment work, FittedTeacher teacher)
    {
        var (labelled, unlabelled) = work.Sample;
        var added = unlabelled.Length > 0 ? unlabelled : MakeUp(work, teacher);
        var classes = work.Views.Set.Classes;
        Record[] rows =
        [
            .. labelled.Select(row => row.WithTarget([.. classes.Select(name => name == row.Label ? 1f : 0f)])),
            .. added.Zip(teacher.Scores(added), (row, scores) => row.WithTarget(scores)),
        ];
        return work.Fit(Options(work), work.Views.View(rows, hasTarget: true));
    }

    private static Record[] MakeUp(Assignment work, FittedTeacher teacher)
    {
        var rows = work.Views.View(work.Sample.Labelled);
        var made = work.MlContext.MulticlassClassification.Trainers
            .Distill(work.Options(work.Epochs) with { Teacher = teacher.Teacher, TransferRows = MadeUp })
            .MakeTransferRows(work.Views.Encoding().Fit(rows).Transform(rows));
        string[][] texts = [.. Enumerable.Range(1, work.Views.Set.Texts).Select(i => made.GetColumn<string>($"Text{i}").ToArray())];
        return [.. made.GetColumn<float[]>(nameof(Record.Numbers)).Select((numbers, row) => new Record { Numbers = numbers, Texts = [.. texts.Select(column => column[row])] })];
    }
}

using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Transfer;

public sealed class TransferFitTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void The_same_rows_given_by_hand_give_the_same_student_bit_by_bit()
    {
        var view = _context.View(TransferData.Mixed());
        var steps = _context.Steps().Fit(view);
        var data = steps.Transform(view);
        var teacher = Teacher.FromTransformer(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Class").Fit(data));
        var options = Rows.Quick(teacher) with { TransferRows = TransferRows.Munge(2.5), ValidationFraction = 0.2 };
        var made = _context.MulticlassClassification.Trainers.Distill(options).MakeTransferRows(data);
        var scores = _context.Fit(options, data).Scores(data);
        Assert.Multiple(() =>
        {
            Assert.That(made.GetRowCount(), Is.EqualTo(120));
            Assert.That(_context.Fit(options with { TransferRows = TransferRows.From(made) }, data).Scores(data), Is.EqualTo(scores));
            Assert.That(_context.Fit(options, data).Scores(data), Is.EqualTo(scores));
            Assert.That(_context.Fit(options with { TransferRows = null }, data).Scores(data), Is.Not.EqualTo(scores));
        });
    }
}

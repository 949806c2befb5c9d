using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Training;

public sealed class GarbageCollectionTests
{
    [Test]
    public void Numbers_of_a_step_were_freed_in_use_when_another_thread_collected_garbage()
    {
        var context = Rows.Context();
        var view = context.Keyed(Rows.Points());
        var options = Rows.Quick(context.Saying(view, RowsTeachers.Rule)) with { MinimumTeacherAccuracy = 0, Epochs = 25 };
        var expected = context.Fit(options, view).Scores(view);
        using var done = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            Assert.That(context.Fit(options, view).Scores(view), Is.EqualTo(expected));
        }
        finally
        {
            done.Cancel();
            collector.Join();
        }
    }
}

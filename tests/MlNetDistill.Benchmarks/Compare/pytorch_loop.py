"""The loop that a Python user would write by hand: pytorch_loop.py SHAPE ROWS CLASSES STUDENT TEACHER KIND BATCH THREADS WARM_UP SECONDS; prints rows per second, over
the whole measurement and of the median epoch, as JSON. A network is BLOCKS:WIDTHS, such as 0:512,512 for a perceptron and 3:16,32,64 for a ResNet-20."""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

TEMPERATURE, ALPHA = 4, 0.9


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity() if stride == 1 and inputs == outputs else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        inner = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(inner)) + self.shortcut(x))


def build(network, shape, classes):
    blocks, widths = network.split(":")
    blocks, widths = int(blocks), [int(width) for width in widths.split(",")]
    if blocks == 0:
        sizes = [shape[0], *widths]
        layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
    else:
        layers = [nn.Conv2d(shape[0], widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
        width = widths[0]
        for part, after in enumerate(widths):
            for block in range(blocks):
                layers.append(Residual(width, after, 2 if part and not block else 1))
                width = after
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], classes))


def main():
    shape, rows, classes, student, teacher, kind, batch, threads, warm_up, seconds = sys.argv[1:]
    shape, rows, classes, batch = [int(d) for d in shape.split("x")], int(rows), int(classes), int(batch)
    torch.set_num_threads(int(threads))
    torch.manual_seed(7)
    features, labels = torch.rand(rows, *shape), torch.arange(rows) % classes
    student, teacher = build(student, shape, classes).train(), build(teacher, shape, classes).eval()
    if kind == "kd":
        with torch.no_grad():
            answers = torch.cat([teacher(part) for part in features.split(batch)])
    optimizer = torch.optim.SGD(student.parameters(), 0.01, 0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=10 ** 7, pct_start=0.2)

    def epoch():
        losses = torch.zeros(())
        order = torch.randperm(rows)
        for at in range(0, rows, batch):
            chosen = order[at:at + batch]
            x, y = features[chosen], labels[chosen]
            logits = student(x)
            loss = F.cross_entropy(logits, y)
            if kind != "plain":
                with torch.no_grad():
                    taught = answers[chosen] if kind == "kd" else teacher(x)
                loss = (1 - ALPHA) * loss + ALPHA * TEMPERATURE ** 2 * F.kl_div(
                    F.log_softmax(logits / TEMPERATURE, 1), F.log_softmax(taught / TEMPERATURE, 1), reduction="batchmean", log_target=True)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses += loss.detach()
        return losses.item()

    start, begin, times = time.perf_counter(), None, []
    last = start
    while begin is None or last - begin < float(seconds):
        epoch()
        now = time.perf_counter()
        if begin is not None:
            times.append(now - last)
        elif now - start >= float(warm_up):
            begin, cpu = now, time.process_time()
        last = now
    trained = len(times) * rows
    print(json.dumps({
        "Total": trained / (last - begin), "MedianEpoch": rows / sorted(times)[len(times) // 2], "CpuSecond": trained / (time.process_time() - cpu)}))


main()
